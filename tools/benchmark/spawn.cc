#include "tools/benchmark/spawn.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace bench {
namespace {

[[noreturn]] void execute(char* const* arguments, Start start) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) _exit(127);
  for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
  if (start == Start::kStopped) raise(SIGSTOP);
  char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char* environment[] = {path, nullptr};
  execve(arguments[0], arguments, environment);
  _exit(127);
}

}  // namespace

rt::Result<pid_t> spawn(const std::vector<std::string>& command, Start start) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) return rt::Error::from_errno("fork");
  if (pid == 0) execute(arguments.data(), start);
  return pid;
}

std::string to_text(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace bench
