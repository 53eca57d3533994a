#include "runtime/kernel/capabilities.h"

#include <cap-ng.h>

#include "runtime/sys/process.h"

namespace rt::kernel {
namespace {

constexpr int kMostCapabilities = 64;

bool has(uint64_t set, int capability) { return ((set >> capability) & 1U) != 0; }

void fill(capng_type_t type, uint64_t set) {
  for (int capability = 0; capability < kMostCapabilities; ++capability) {
    if (has(set, capability)) {
      capng_update(CAPNG_ADD, type, static_cast<unsigned>(capability));
    }
  }
}

}  // namespace

Status drop_bounding_set(const plan::CapabilitySets& sets) {
  for (int capability = 0; capability < kMostCapabilities; ++capability) {
    if (has(sets.bounding, capability)) continue;
    const Status dropped = sys::drop_bounding_capability(capability);
    // EINVAL: the kernel has no capability of that number, nor any above. It is asked twice.
    const bool beyond = !dropped && dropped.error().code() == EINVAL;
    if (beyond && !sys::bounding_capability(capability)) return ok();
    TRY(dropped, "bounding capability ", capability);
  }
  return ok();
}

Status set_capabilities(const plan::CapabilitySets& sets, uint64_t late) {
  capng_clear(CAPNG_SELECT_CAPS);
  fill(CAPNG_EFFECTIVE, sets.effective);
  fill(CAPNG_PERMITTED, sets.permitted | late);
  fill(CAPNG_INHERITABLE, sets.inheritable);
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) {
    return Error::from_errno("capset").within("unable to apply caps");
  }
  const sys::CapabilityState now = TRY(sys::capget());
  if (now.effective != sets.effective || now.permitted != (sets.permitted | late) ||
      now.inheritable != sets.inheritable) {
    return Error("capset: the kernel did not set what was asked for");
  }
  TRY(sys::clear_ambient_capabilities(), "ambient set");
  for (int capability = 0; capability < kMostCapabilities; ++capability) {
    if (!has(sets.ambient, capability)) continue;
    TRY(sys::raise_ambient_capability(capability), "ambient capability ", capability);
  }
  return ok();
}

Status raise_effective(unsigned capability) {
  // On top of what set_capabilities set, which libcap-ng remembers.
  capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, capability);
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return Error::from_errno("capset");
  return ok();
}

}  // namespace rt::kernel
