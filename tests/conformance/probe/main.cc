// The probe: runs as a container's program, or as a hook, and prints one JSON document of what it
// sees. It needs nothing of the root file system it is in.
//
//   probe [WORD...]
//     path=P sysctl=NAME call=NUMBER[:ARGUMENT...]   questions, see sections.h
//     input        the report has what is on standard input, and when that is a state the command
//                  line of its process
//     to=FILE      the report goes to the end of FILE, as one line, instead of standard output
//     exit=N       the exit code; after the report
//     await        after the report, waits for any signal; its number is the exit code
//     only         no report: just what comes after it
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "tests/conformance/probe/sections.h"

namespace probe {
namespace {

struct Orders {
  Questions questions;
  std::string file;
  bool input = false;
  bool await = false;
  bool report = true;
  int exit_code = 0;
};

Orders read_orders(int count, char** words) {
  Orders orders;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const std::string value = word.substr(std::min(word.size(), word.find('=') + 1));
    if (word.starts_with("path=")) orders.questions.paths.push_back(value);
    if (word.starts_with("sysctl=")) orders.questions.sysctls.push_back(value);
    if (word.starts_with("call=")) orders.questions.calls.push_back(value);
    if (word.starts_with("to=")) orders.file = value;
    if (word.starts_with("exit="))
      orders.exit_code = static_cast<int>(std::strtol(value.c_str(), nullptr, 10));
    if (word == "input") orders.input = true;
    if (word == "await") orders.await = true;
    if (word == "only") orders.report = false;
  }
  return orders;
}

void write_words(Writer& out, const char* name, char** words) {
  out.key(name).open('[');
  for (; *words != nullptr; ++words) out.string(*words);
  out.close(']');
}

void write_directory(Writer& out) {
  char directory[PATH_MAX] = {};
  const char* found = ::getcwd(directory, sizeof directory);
  out.member("cwd", found == nullptr ? "" : found);
}

std::string read_input() {
  std::string text;
  char block[4096];
  ssize_t count = 0;
  while ((count = ::read(0, block, sizeof block)) > 0) {
    text.append(block, static_cast<size_t>(count));
  }
  return text;
}

void write_input(Writer& out) {
  const std::string input = read_input();
  out.member("input", input);
  const size_t at = input.find("\"pid\":");
  if (at == std::string::npos) return;
  const long pid = std::strtol(input.c_str() + at + 6, nullptr, 10);
  std::string words = read_text("/proc/" + std::to_string(pid) + "/cmdline");
  std::ranges::replace(words, '\0', ' ');
  out.member("program", words);
}

std::string report(const Orders& orders, char** words) {
  Writer out;
  out.open('{');
  write_descriptors(out);  // first: what follows opens some
  write_words(out, "args", words);
  write_words(out, "env", environ);
  write_directory(out);
  if (orders.input) write_input(out);
  write_ids(out);
  write_capabilities(out);
  write_seccomp(out);
  write_keyring(out);
  write_rlimits(out);
  write_scheduling(out);
  write_settings(out);
  write_session(out);
  write_signals(out);
  write_terminal(out);
  write_names(out);
  write_namespaces(out);
  write_clocks(out);
  write_network(out);
  write_sysctls(out, orders.questions.sysctls);
  write_mounts(out);
  write_devices(out);
  write_paths(out, orders.questions.paths);
  write_calls(out, orders.questions.calls);
  return out.close('}').text() + '\n';
}

/// In one call, so that the lines of two probes do not mix.
bool deliver(const std::string& file, const std::string& text) {
  int fd = 1;
  if (!file.empty()) {
    fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  }
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) done += static_cast<size_t>(count);
  }
  return true;
}

int run(int count, char** words) {
  const Orders orders = read_orders(count, words);
  const std::string text = orders.report ? report(orders, words) : "";
  sigset_t all;
  ::sigfillset(&all);
  // Before anybody can know from the report that we are here.
  if (orders.await) ::sigprocmask(SIG_BLOCK, &all, nullptr);
  if (!deliver(orders.file, text)) return EXIT_FAILURE;
  if (!orders.await) return orders.exit_code;
  int number = 0;
  ::sigwait(&all, &number);
  return number;
}

}  // namespace
}  // namespace probe

int main(int count, char** words) { return probe::run(count, words); }
