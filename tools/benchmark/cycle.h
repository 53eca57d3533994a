// The life of a container under one runtime, measured.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "tools/benchmark/measure.h"

namespace bench {

/// A program to measure, called as runc is.
struct Tool {
  std::string name;
  std::string path;
  bool operator==(const Tool&) const = default;
};

enum class Operation { kRun, kCreate, kStart, kDelete };
inline constexpr std::array kOperations = {Operation::kRun, Operation::kCreate, Operation::kStart,
                                           Operation::kDelete};
inline constexpr std::array<std::string_view, 4> kOperationNames = {"run", "create", "start",
                                                                    "delete"};

/// Where the containers live while they are measured.
struct Setting {
  std::string bundle;   // absolute path; its program ends at once
  std::string scratch;  // absolute path of an empty directory: state, pid files
};

/// One pass through all operations.
struct Pass {
  std::array<Cost, kOperations.size()> costs;
  long waiting_kib = 0;  // private memory of init between create and start
};

struct Trace {
  std::array<Work, kOperations.size()> work;
};

/// `run`, then create, start, delete. The caller is a child subreaper (prctl(2)).
rt::Result<Pass> time_pass(const Tool& tool, const Setting& setting);

/// The same with a tracer.
rt::Result<Trace> trace_pass(const Tool& tool, const Setting& setting);

}  // namespace bench
