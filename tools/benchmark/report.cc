#include "tools/benchmark/report.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace bench {
namespace {

/// The value below which `share` of `values` lie, the nearest measured one.
double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto rank = std::ceil(share * static_cast<double>(values.size()));
  return values[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

template <class T, class Get>
std::vector<double> collect(const std::vector<T>& from, Get get) {
  std::vector<double> values;
  values.reserve(from.size());
  for (const T& one : from) values.push_back(static_cast<double>(get(one)));
  return values;
}

struct Figure {
  const char* name;
  std::function<double(const Series&, size_t)> value;
};

double wall(const Series& series, size_t operation, double share) {
  return quantile(
      collect(series.passes, [&](const Pass& pass) { return pass.costs[operation].wall_ms; }),
      share);
}

const Figure kFigures[] = {
    {"wall_ms_median",
     [](const Series& series, size_t operation) { return wall(series, operation, 0.5); }},
    {"wall_ms_p99",
     [](const Series& series, size_t operation) { return wall(series, operation, 0.99); }},
    {"cpu_ms_median",
     [](const Series& series, size_t operation) {
       const auto get = [&](const Pass& pass) { return pass.costs[operation].cpu_ms; };
       return quantile(collect(series.passes, get), 0.5);
     }},
    {"system_calls",
     [](const Series& series, size_t operation) {
       const auto get = [&](const Trace& trace) { return trace.work[operation].system_calls; };
       return quantile(collect(series.traces, get), 0.5);
     }},
    {"peak_memory_kib",
     [](const Series& series, size_t operation) {
       const auto get = [&](const Trace& trace) { return trace.work[operation].peak_kib; };
       return quantile(collect(series.traces, get), 1.0);
     }},
};

double waiting_memory(const Series& series) {
  return quantile(collect(series.passes, [](const Pass& pass) { return pass.waiting_kib; }), 0.5);
}

}  // namespace

std::vector<Row> summarize(const std::vector<Series>& all) {
  std::vector<Row> rows;
  for (size_t operation = 0; operation < kOperations.size(); ++operation) {
    for (const Figure& figure : kFigures) {
      Row row{std::string(kOperationNames[operation]), figure.name, {}};
      for (const Series& series : all) row.values.push_back(figure.value(series, operation));
      rows.push_back(std::move(row));
    }
  }
  Row waiting{"waiting", "private_memory_kib", {}};
  for (const Series& series : all) waiting.values.push_back(waiting_memory(series));
  rows.push_back(std::move(waiting));
  return rows;
}

void print_table(const std::vector<Series>& all, const std::vector<Row>& rows) {
  std::printf("%-8s %-19s", "", "");
  for (const Series& series : all) std::printf(" %10s", series.tool.name.c_str());
  for (size_t i = 1; i < all.size(); ++i) std::printf(" %9s", ("/" + all[i].tool.name).c_str());
  std::puts("");
  std::string previous;
  for (const Row& row : rows) {
    std::printf("%-8s %-19s", row.operation == previous ? "" : row.operation.c_str(),
                row.figure.c_str());
    previous = row.operation;
    const bool is_time = row.figure.find("_ms") != std::string::npos;
    for (const double value : row.values) std::printf(" %10.*f", is_time ? 2 : 0, value);
    for (size_t i = 1; i < row.values.size(); ++i) {
      std::printf(" %8.2fx", row.values[0] / row.values[i]);
    }
    std::puts("");
  }
}

void write_json(std::FILE* file, const std::vector<Series>& all, const std::vector<Row>& rows) {
  std::fprintf(file, "{\n  \"rounds\": %zu,\n  \"figures\": [", all.front().passes.size());
  const char* separator = "\n";
  for (const Row& row : rows) {
    std::fprintf(file, "%s    {\"operation\": \"%s\", \"figure\": \"%s\"", separator,
                 row.operation.c_str(), row.figure.c_str());
    for (size_t i = 0; i < all.size(); ++i) {
      std::fprintf(file, ", \"%s\": %.3f", all[i].tool.name.c_str(), row.values[i]);
    }
    std::fputs("}", file);
    separator = ",\n";
  }
  std::fputs("\n  ]\n}\n", file);
}

}  // namespace bench
