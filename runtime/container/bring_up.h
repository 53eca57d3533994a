// The common parts of create, run and restore: from a plan to a container that goes on by itself,
// and to its end.
#pragma once

#include <utility>

#include "runtime/container/container.h"
#include "runtime/container/notify.h"
#include "runtime/container/record.h"
#include "runtime/container/store.h"
#include "runtime/stage/stages.h"

namespace rt::container {

/// What is known of the container before there is anything of it.
Result<Record> first_record(const plan::Plan& plan);

/// Init is there: what the record says from now on.
Status note_created(const Entry& entry, Record& record, pid_t pid);

/// A container that was just brought up, by the process that did it.
struct Live {
  Live(Entry its_entry, Record its_record, stage::Launch its_launch)
      : entry(std::move(its_entry)), record(std::move(its_record)), launch(std::move(its_launch)) {}

  Entry entry;  // locked
  Record record;
  stage::Launch launch;  // released
  UniqueFd console;      // the master end of the payload's terminal, unless it was sent away
  UniqueFd report;       // what init reports until it executes the payload; empty: nothing, or to
                         // `start`
  Readiness readiness;   // where the payload says that it is ready; likewise
};

/// What init waits for before it executes the payload.
enum class Gate {
  kFifo,  // `start`
  kNone,
};

/// Who shows the payload's terminal, if it has one.
enum class Terminal {
  kSocket,  // --console-socket: the runtime will be gone
  kHere,    // the runtime stays in the foreground
};

/// Record, launch, record again, pid file, release. On failure all of it is undone.
Result<Live> bring_up(const Store& store, const plan::Plan& plan, const CreateOptions& options,
                      Gate gate, Terminal terminal);

/// A container in the foreground, that runs.
struct Attended {
  Entry& entry;
  const Record& record;
  pid_t pid = 0;  // of init, our child
  int pidfd = -1;
  UniqueFd console;
  Readiness readiness;
};

/// Looks after it until it has ended, and takes it away. `signals` is of sys::block_signals.
Result<RunOutcome> attend_to_end(Attended container, const plan::Plan& plan, int signals,
                                 AfterRun after, const Warn& warn);

}  // namespace rt::container
