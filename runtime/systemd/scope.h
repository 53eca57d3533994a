// The orders, carried out.
#pragma once

#include "runtime/base/result.h"
#include "runtime/systemd/order.h"

namespace rt::systemd {

/// Starts the scope with a process in it that lives until standard input ends, also when this
/// program has ended. On failure there is neither: what systemd has done by then it is asked to
/// take back, and is given a little longer for that.
Status start_scope(const Order& order);

/// Has systemd put a process into the unit, where the caller has no right to.
Status attach_process(const Order& order);

/// Tells systemd of properties of a unit that is there.
Status set_unit_properties(const Order& order);

}  // namespace rt::systemd
