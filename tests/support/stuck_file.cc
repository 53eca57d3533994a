#include "tests/support/stuck_file.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/base/text.h"

namespace rt::testing {
namespace {

constexpr uint64_t kFile = 2;
constexpr uint64_t kForever = 1U << 20;  // seconds

/// Answers what the kernel asks: enough for the file to be found and opened.
class Server {
 public:
  Server(int device, int caught) : device_(device), caught_(caught) {}

  [[noreturn]] void serve() {
    while (true) {
      const ssize_t count = ::read(device_, request_.data(), request_.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < static_cast<ssize_t>(sizeof(fuse_in_header))) ::_exit(0);
      answer();
    }
  }

 private:
  void answer() {
    std::memcpy(&header_, request_.data(), sizeof header_);
    switch (header_.opcode) {
      case FUSE_INIT:
        return initialise();
      case FUSE_LOOKUP:
        return look_up();
      case FUSE_GETATTR:
        return reply(fuse_attr_out{kForever, 0, 0, attributes(header_.nodeid)});
      case FUSE_OPEN:
        return reply(fuse_open_out{});
      case FUSE_FORGET:
      case FUSE_BATCH_FORGET:
      case FUSE_INTERRUPT:
        return;
      case FUSE_FLUSH:
        // A reader that is gone need not be told.
        if (::write(caught_, "!", 1) < 0) return;
        return;
      default:
        return refuse(ENOSYS);
    }
  }

  void initialise() {
    fuse_init_out out{};
    out.major = FUSE_KERNEL_VERSION;
    out.minor = FUSE_KERNEL_MINOR_VERSION;
    out.max_write = 4096;
    reply(out);
  }

  void look_up() {
    if (std::strcmp(request_.data() + sizeof header_, "file") != 0) return refuse(ENOENT);
    fuse_entry_out out{};
    out.nodeid = kFile;
    out.entry_valid = kForever;
    out.attr_valid = kForever;
    out.attr = attributes(kFile);
    reply(out);
  }

  static fuse_attr attributes(uint64_t node) {
    fuse_attr out{};
    out.ino = node;
    out.mode = node == kFile ? S_IFREG | 0666 : S_IFDIR | 0755;
    out.nlink = 1;
    return out;
  }

  template <class Body>
  void reply(const Body& body) {
    std::array<char, sizeof(fuse_out_header) + sizeof(Body)> text{};
    const fuse_out_header head{static_cast<uint32_t>(text.size()), 0, header_.unique};
    std::memcpy(text.data(), &head, sizeof head);
    std::memcpy(text.data() + sizeof head, &body, sizeof body);
    static_cast<void>(::write(device_, text.data(), text.size()) < 0);
  }

  void refuse(int error) {
    const fuse_out_header head{sizeof head, -error, header_.unique};
    static_cast<void>(::write(device_, &head, sizeof head) < 0);
  }

  int device_;
  int caught_;
  fuse_in_header header_{};
  std::array<char, FUSE_MIN_READ_BUFFER + 4096> request_{};
};

}  // namespace

StuckFile::StuckFile(std::string directory) : directory_(std::move(directory)) {
  const UniqueFd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  int ends[2];
  if (!device || ::pipe2(ends, O_CLOEXEC) < 0) return;
  caught_.reset(ends[0]);
  const UniqueFd catching(ends[1]);
  const std::string options =
      cat("fd=", device.get(), ",rootmode=40755,user_id=0,group_id=0,allow_other");
  if (::mount("stuck", directory_.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) < 0) {
    return;
  }
  // The device is the server's alone: with its end the file system's comes.
  server_ = ::fork();
  if (server_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Server(device.get(), catching.get()).serve();
}

StuckFile::~StuckFile() {
  let_go();
  ::umount2(directory_.c_str(), MNT_DETACH);
}

bool StuckFile::has_caught() const {
  constexpr int kPatience = 10000;  // milliseconds
  pollfd waiting{caught_.get(), POLLIN, 0};
  return ::poll(&waiting, 1, kPatience) == 1 && (waiting.revents & POLLIN) != 0;
}

void StuckFile::let_go() {
  if (server_ <= 0) return;
  ::kill(server_, SIGKILL);
  ::waitpid(server_, nullptr, 0);
  server_ = 0;
}

}  // namespace rt::testing
