#include "tests/support/command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::testing {
namespace {

UniqueFd nameless_file(std::string_view text = "") {
  UniqueFd file(::memfd_create("test", MFD_CLOEXEC));
  sys::write_all(file.get(), text).value();
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

/// All of a file, without moving the position that its writers share.
std::string contents(int fd) {
  std::string text;
  char block[4096];
  while (true) {
    const ssize_t count = ::pread(fd, block, sizeof block, static_cast<off_t>(text.size()));
    if (count <= 0) return text;
    text.append(block, static_cast<size_t>(count));
  }
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void become(const std::string& path, const Call& call, const int (&streams)[3]) {
  // A payload that can reach its caller's process group shall end the runtime, not the test.
  ::setpgid(0, 0);
  for (int fd = 0; fd < 3; ++fd) ::dup2(streams[fd], fd);
  if (!call.cwd.empty() && ::chdir(call.cwd.c_str()) < 0) ::_exit(125);
  std::vector<std::string> words = {path};
  words.insert(words.end(), call.args.begin(), call.args.end());
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> env = pointers(call.env);
  if (call.before_exec) call.before_exec();
  ::execve(path.c_str(), argv.data(), env.data());
  ::_exit(126);
}

}  // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto deadline = sys::monotonic_clock() + patience;
  while (!condition()) {
    if (sys::monotonic_clock() > deadline) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

Program::Program(const std::string& path, const Call& call)
    : out_(nameless_file()), err_(nameless_file()) {
  const UniqueFd in = nameless_file(call.input);
  const int streams[3] = {in.get(), out_.get(), err_.get()};
  pid_ = ::fork();
  if (pid_ < 0) std::abort();  // kill(2) takes -1 for everybody
  if (pid_ == 0) become(path, call, streams);
}

Program::~Program() {
  if (waited_ || !out_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Program::signal(int number) const { ::kill(pid_, number); }
std::string Program::out() const { return contents(out_.get()); }
std::string Program::err() const { return contents(err_.get()); }

Outcome Program::wait(std::chrono::milliseconds patience) {
  const UniqueFd pidfd = sys::pidfd_open(pid_).value();
  const bool ended = sys::wait_readable({pidfd.get()}, patience).value().has_value();
  if (!ended) {
    ADD_FAILURE() << "takes too long, killed; it said: " << err();
    signal(SIGKILL);
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  waited_ = true;
  Outcome outcome;
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  outcome.out = out();
  outcome.err = err();
  return outcome;
}

Outcome run_program(const std::string& path, const Call& call) {
  Program program(path, call);
  return program.wait();
}

std::string runtime_binary() {
  if (const char* named = std::getenv("RUNTIME")) return named;
  const char* runfiles = std::getenv("TEST_SRCDIR");
  return cat(runfiles == nullptr ? "bazel-bin" : cat(runfiles, "/runtime"), "/runtime/runtime");
}

}  // namespace rt::testing
