// say SOCKET TEXT...: sends each text as one datagram. A payload's end of sd_notify(3), for images
// that have nothing but busybox.
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (argc < 2 || std::strlen(argv[1]) >= sizeof address.sun_path) return 2;
  std::strcpy(address.sun_path, argv[1]);
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  for (int i = 2; i < argc; ++i) {
    const ssize_t sent = ::sendto(socket, argv[i], std::strlen(argv[i]), 0,
                                  reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (sent < 0) {
      std::perror(argv[1]);
      return 1;
    }
  }
  return 0;
}
