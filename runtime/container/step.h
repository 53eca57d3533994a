// Says which step of the plan failed, for the steps that this package carries out itself.
#pragma once

#include <utility>

#include "runtime/base/result.h"
#include "runtime/plan/steps.h"

namespace rt::container {

template <class T>
Result<T> in_step(plan::Step step, Result<T> result) {
  if (!result) return std::move(result).error().in_step(plan::name_of(step));
  return result;
}

}  // namespace rt::container
