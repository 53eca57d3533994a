#include "tools/benchmark/cycle.h"

#include <sys/wait.h>

#include <cstdio>

namespace bench {
namespace {

/// The commands for one container of one tool.
class Container {
 public:
  Container(const Tool& tool, const Setting& setting)
      : bundle_(setting.bundle),
        prefix_{tool.path, "--root", rt::cat(setting.scratch, '/', tool.name)},
        id_(rt::cat("bench-", tool.name)),
        pid_file_(rt::cat(setting.scratch, '/', tool.name, ".pid")) {}

  [[nodiscard]] std::vector<std::string> command(Operation operation) const {
    std::vector<std::string> words = prefix_;
    words.emplace_back(kOperationNames[static_cast<size_t>(operation)]);
    if (operation == Operation::kRun || operation == Operation::kCreate) {
      words.insert(words.end(), {"--bundle", bundle_});
    }
    if (operation == Operation::kCreate) words.insert(words.end(), {"--pid-file", pid_file_});
    words.push_back(id_);
    return words;
  }

  [[nodiscard]] rt::Result<pid_t> init() const {
    std::FILE* file = std::fopen(pid_file_.c_str(), "re");
    if (file == nullptr) return rt::Error::from_errno("open").within(pid_file_);
    char line[32] = {};
    const bool read = std::fgets(line, sizeof line, file) != nullptr;
    std::fclose(file);
    const auto pid = static_cast<pid_t>(std::strtol(line, nullptr, 10));
    if (!read || pid <= 0) return rt::Error(rt::cat(pid_file_, ": no process id"));
    return pid;
  }

 private:
  std::string bundle_;
  std::vector<std::string> prefix_;
  std::string id_;
  std::string pid_file_;
};

/// The container's init became our child when the command that made it ended. A tracer that waited
/// for everything has seen its end already.
rt::Status wait_for(pid_t init) {
  int status = 0;
  if (waitpid(init, &status, 0) < 0 && errno == ECHILD) return rt::ok();
  if (status != 0) return rt::Error(rt::cat("the container's program: wait status ", status));
  return rt::ok();
}

/// Takes a container through its life; `measure` runs a command, `waiting` sees init wait.
template <class Measure, class Waiting>
rt::Status live(const Container& container, Measure measure, Waiting waiting) {
  for (const Operation operation : kOperations) {
    TRY(measure(operation, container.command(operation)));
    if (operation != Operation::kCreate && operation != Operation::kStart) continue;
    const pid_t init = TRY(container.init());
    TRY(operation == Operation::kCreate ? waiting(init) : wait_for(init));
  }
  return rt::ok();
}

}  // namespace

rt::Result<Pass> time_pass(const Tool& tool, const Setting& setting) {
  Pass pass;
  const auto measure = [&](Operation operation,
                           const std::vector<std::string>& words) -> rt::Status {
    pass.costs[static_cast<size_t>(operation)] = TRY(run_timed(words));
    return rt::ok();
  };
  const auto waiting = [&](pid_t init) -> rt::Status {
    pass.waiting_kib = TRY(private_memory(init));
    return rt::ok();
  };
  TRY(live(Container(tool, setting), measure, waiting), tool.name);
  return pass;
}

rt::Result<Trace> trace_pass(const Tool& tool, const Setting& setting) {
  Trace trace;
  const auto measure = [&](Operation operation,
                           const std::vector<std::string>& words) -> rt::Status {
    trace.work[static_cast<size_t>(operation)] = TRY(run_traced(words));
    return rt::ok();
  };
  TRY(live(Container(tool, setting), measure, [](pid_t) { return rt::ok(); }), tool.name);
  return trace;
}

}  // namespace bench
