#include "runtime/container/hooks.h"

#include "runtime/kernel/hooks.h"
#include "spec/load.h"

namespace rt::container {

spec::State state_of(const Record& record, ContainerStatus status, pid_t pid) {
  spec::State state;
  state.id = record.id;
  state.status = name_of(status);
  state.pid = pid;
  state.bundle = record.bundle;
  state.annotations = record.annotations;
  state.rootfs = record.rootfs;
  state.created = record.created;
  return state;
}

Result<spec::Config> load_config(const Entry& entry) {
  const std::string text = TRY(entry.load_config());
  spec::Loaded loaded = spec::load_config(text);
  if (loaded.config) return *std::move(loaded.config);
  return Error(cat(entry.path(), "/config.json: what create has checked is not valid any more"));
}

void run_poststop_hooks(const std::vector<plan::HookStep>& hooks, const Record& record,
                        const Warn& warn) {
  const std::string state = to_hook_json(state_of(record, ContainerStatus::kStopped, 0));
  const kernel::HookInput input = {.state = state, .directory = record.bundle};
  for (const Error& error : kernel::run_all_hooks(hooks, plan::HookKind::kPoststop, input)) {
    if (warn) warn(cat("poststop: ", error.message()));
  }
}

}  // namespace rt::container
