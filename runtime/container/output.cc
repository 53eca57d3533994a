#include "runtime/container/output.h"

#include <fcntl.h>
#include <unistd.h>

#include "runtime/base/rollback.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "runtime/sys/socket.h"
#include "spec/json.h"

namespace rt::container {

Status write_pid_file(const std::string& path, pid_t pid) {
  const size_t slash = path.rfind('/');
  const size_t name = slash == std::string::npos ? 0 : slash + 1;
  // In the same directory, for the rename; our own pid keeps two commands apart.
  const std::string temporary =
      cat(path.substr(0, name), '.', path.substr(name), '.', sys::getpid());
  const UniqueFd file =
      TRY(sys::open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644), "pid file ", path);
  Rollback undo;
  undo.add([&] { sys::try_unlink(temporary); });
  TRY(sys::write_all(file.get(), std::to_string(pid)), "pid file ", path);
  TRY(sys::rename(temporary, path), "pid file ", path);
  undo.commit();
  return ok();
}

Status send_to_socket(std::string_view option, const std::string& path, std::string_view name,
                      int descriptor) {
  constexpr int kPatienceSeconds = 10;
  const UniqueFd socket = TRY(sys::connect_unix(path, kPatienceSeconds), option, ' ', quoted(path));
  TRY(sys::send_descriptor(socket.get(), name.data(), name.size(), descriptor), option, ' ',
      quoted(path));
  return ok();
}

Status send_pidfd(const std::string& socket_path, int pidfd) {
  return send_to_socket("--pidfd-socket", socket_path, "pidfd", pidfd);
}

Result<std::string> read_document(const std::string& path) {
  if (path == "-") return sys::read_all(STDIN_FILENO, spec::kMaxDocumentSize);
  // Not blocking: what lies there might be a fifo that nobody writes to.
  const UniqueFd file = TRY(sys::open(path, O_RDONLY | O_NONBLOCK), quoted(path));
  // But for one who does write we wait: <(jq ...) of bash is a pipe, /dev/fd/63.
  TRY(sys::set_blocking(file.get()), quoted(path));
  std::string text = TRY(sys::read_all(file.get(), spec::kMaxDocumentSize), quoted(path));
  return text;
}

Status append_line(const std::string& path, std::string_view line) {
  const UniqueFd file =
      TRY(sys::open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0644), quoted(path));
  TRY(sys::write_all(file.get(), cat(line, '\n')), quoted(path));
  return ok();
}

Status write_new_file(const std::string& path, std::string_view text) {
  const UniqueFd file =
      TRY(sys::open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666), quoted(path));
  Rollback undo;
  undo.add([&] { sys::try_unlink(path); });
  TRY(sys::write_all(file.get(), text), quoted(path));
  undo.commit();
  return ok();
}

}  // namespace rt::container
