// Plays CRIU for the tests of checkpoint and restore: criu_actor swrk FD. What it was asked it
// writes into the work directory, "request.json", "environment" and "missing" (of a restore: paths
// that it was told and that are not there), and into the image directory an empty "image". What it
// does then is in the file "play" of the work directory, a line each:
//
//   log TEXT           a line of its log
//   notice NAME        tells of a moment; when that is refused, all is taken back
//   child              a process is brought back, in the cgroup that was asked for; it ends by
//                      SIGTERM, with exit status 7
//   stray              the same outside of that cgroup
//   terminal           the master end of a terminal is handed over
//   kill               the process that was to be saved is killed
//   fail CODE MESSAGE  its answer: cr_errno and cr_errmsg, which may be missing
//   succeed            its answer
//   say TEXT           on standard error
//   exit, die, hang
#include <fcntl.h>
#include <google/protobuf/util/json_util.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "runtime/base/text.h"
#include "runtime/criu/rpc.pb.h"
#include "runtime/sys/file.h"
#include "runtime/sys/socket.h"

namespace rt::testing {
namespace {

constexpr size_t kLongest = size_t{2} << 20;

void write_file(int directory, const std::string& name, std::string_view text) {
  const UniqueFd file(
      ::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  static_cast<void>(sys::write_all(file.get(), text));
}

/// Every v1 hierarchy, or the one of v2.
std::vector<std::string> hierarchies() {
  const std::string top = "/sys/fs/cgroup";
  if (::access((top + "/cgroup.procs").c_str(), F_OK) == 0) return {top};
  std::vector<std::string> found;
  const std::vector<std::string> names = sys::list_directory(top).value();
  found.reserve(names.size());
  for (const std::string& name : names) found.push_back(cat(top, '/', name));
  return found;
}

/// The restored process, until it is told to end.
[[noreturn]] void sleep_for_ever() {
  ::close_range(0, ~0U, 0);
  while (true) ::pause();
}

class Actor {
 public:
  explicit Actor(int socket) : socket_(socket) {}

  int play() {
    const std::string bytes = receive();
    if (bytes.empty() || !request_.ParseFromString(bytes)) return 2;
    // First: with the request there, the test may write the next play.
    const UniqueFd file(::openat(work(), "play", O_RDONLY | O_CLOEXEC));
    const Result<std::string> text = sys::read_all(file.get(), kLongest);
    if (!text || !write_down()) return 3;
    for (const std::string_view line : split(text.value(), '\n')) {
      const size_t space = line.find(' ');
      const std::string_view rest = space == line.npos ? "" : line.substr(space + 1);
      if (!take(line.substr(0, space), std::string(rest))) break;
    }
    return 0;
  }

 private:
  [[nodiscard]] const criu::rpc::criu_opts& options() const { return request_.opts(); }
  [[nodiscard]] int work() const { return options().work_dir_fd(); }

  [[nodiscard]] bool write_down() const {
    std::string json;
    google::protobuf::util::JsonPrintOptions print;
    print.preserve_proto_field_names = true;
    if (!google::protobuf::util::MessageToJsonString(request_, &json, print).ok()) return false;
    write_file(options().images_dir_fd(), "image", "");
    std::string variables;
    for (char** one = environ; *one != nullptr; ++one) variables += cat(*one, '\n');
    write_file(work(), "environment", variables);
    if (request_.type() == criu::rpc::RESTORE) write_file(work(), "missing", missing_places());
    write_file(work(), "request.json", json);
    return true;
  }

  /// What a restore is told to mount, and is not there.
  [[nodiscard]] std::string missing_places() const {
    std::string missing;
    const auto look = [&](const std::string& path) {
      if (::access(path.c_str(), F_OK) != 0) missing += path + '\n';
    };
    look(options().root());
    for (const std::string& one : options().external()) look(one.substr(one.find("]:") + 2));
    return missing;
  }

  /// Whether the play goes on.
  bool take(std::string_view verb, const std::string& rest) {
    if (verb == "log") write_file(work(), options().log_file(), rest + '\n');
    if (verb == "say") static_cast<void>(sys::write_all(2, rest));
    if (verb == "notice") return notify(rest, -1);
    if (verb == "child") return bring_back() && put_into_cgroup();
    if (verb == "stray") return bring_back();
    if (verb == "terminal") return hand_over_terminal();
    if (verb == "kill") ::kill(options().pid(), SIGKILL);
    if (verb == "fail") fail(rest);
    if (verb == "succeed") succeed();
    if (verb == "exit") ::_exit(9);
    if (verb == "die") ::kill(::getpid(), SIGKILL);
    if (verb == "hang") static_cast<void>(receive());
    return true;
  }

  [[nodiscard]] std::string receive() const {
    std::string bytes(kLongest, '\0');
    const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), 0);
    bytes.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return bytes;
  }

  void send(const criu::rpc::criu_resp& answer, int descriptor = -1) const {
    const std::string bytes = answer.SerializeAsString();
    static_cast<void>(descriptor < 0
                          ? sys::send(socket_, bytes.data(), bytes.size())
                          : sys::send_descriptor(socket_, bytes.data(), bytes.size(), descriptor));
  }

  [[nodiscard]] criu::rpc::criu_resp answer(bool success) const {
    criu::rpc::criu_resp answer;
    answer.set_type(request_.type());
    answer.set_success(success);
    return answer;
  }

  bool notify(const std::string& moment, int descriptor) {
    criu::rpc::criu_resp notice;
    notice.set_type(criu::rpc::NOTIFY);
    notice.set_success(true);
    notice.mutable_notify()->set_script(moment);
    if (child_ != 0) notice.mutable_notify()->set_pid(child_);
    send(notice, descriptor);
    criu::rpc::criu_req reply;
    if (reply.ParseFromString(receive()) && reply.notify_success()) return true;
    if (child_ != 0) ::kill(child_, SIGKILL);
    send(answer(false));
    return false;
  }

  /// A child of the parent's, which is what rst_sibling asks for.
  bool bring_back() {
    // The child's from its first moment: a signal may come before it has run.
    const auto before = ::signal(SIGTERM, [](int) { ::_exit(7); });
    const long pid = ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, 0);
    if (pid == 0) sleep_for_ever();
    ::signal(SIGTERM, before);
    child_ = static_cast<pid_t>(pid);
    return true;
  }

  [[nodiscard]] bool put_into_cgroup() const {
    for (const std::string& hierarchy : hierarchies()) {
      for (const auto& root : options().cg_root()) {
        if (!root.ctrl().empty() && !hierarchy.ends_with('/' + root.ctrl())) continue;
        const std::string file = cat(hierarchy, root.path(), "/cgroup.procs");
        static_cast<void>(sys::write_file(file, std::to_string(child_)));
      }
    }
    return true;
  }

  bool hand_over_terminal() {
    const UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    return notify("orphan-pts-master", master.get());
  }

  void fail(const std::string& why) const {
    criu::rpc::criu_resp failure = answer(false);
    const size_t space = why.find(' ');
    const auto code = parse_int(why.substr(0, space));
    if (code) failure.set_cr_errno(static_cast<int>(*code));
    if (space != why.npos) failure.set_cr_errmsg(why.substr(space + 1));
    send(failure);
  }

  void succeed() const {
    criu::rpc::criu_resp success = answer(true);
    if (child_ != 0) success.mutable_restore()->set_pid(child_);
    send(success);
  }

  int socket_;
  criu::rpc::criu_req request_;
  pid_t child_ = 0;
};

}  // namespace
}  // namespace rt::testing

int main(int argc, char** argv) {
  if (argc != 3 || std::string(argv[1]) != "swrk") return 2;
  const auto socket = rt::parse_uint(argv[2]);
  return socket ? rt::testing::Actor(static_cast<int>(*socket)).play() : 2;
}
