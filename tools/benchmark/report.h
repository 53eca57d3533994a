// The figures of a run: as a table, and as JSON.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "tools/benchmark/cycle.h"

namespace bench {

/// All that was measured of one tool.
struct Series {
  Tool tool;
  std::vector<Pass> passes;
  std::vector<Trace> traces;
};

/// One figure of an operation, for each tool in the order of the series.
struct Row {
  std::string operation;  // "run", "create", ... or "waiting"
  std::string figure;     // "wall_ms_median", "system_calls", ...
  std::vector<double> values;
};

std::vector<Row> summarize(const std::vector<Series>& all);

/// Each figure for each tool, then the first tool's ratio to each of the others.
void print_table(const std::vector<Series>& all, const std::vector<Row>& rows);

void write_json(std::FILE* file, const std::vector<Series>& all, const std::vector<Row>& rows);

}  // namespace bench
