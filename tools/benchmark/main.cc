// Measures runtimes against each other in one run: each round takes every tool through the life of
// a container, in another order each time, so that the machine's mood falls on all alike.
#include <getopt.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tools/benchmark/report.h"

namespace bench {
namespace {

constexpr int kTraces = 3;  // threads of a tool can make its count of system calls vary

struct Options {
  Setting setting;
  int rounds = 50;
  std::string json;  // empty: none
  std::vector<Tool> tools;
};

rt::Result<Options> read_options(int argc, char** argv) {
  const option table[] = {{"bundle", required_argument, nullptr, 'b'},
                          {"scratch", required_argument, nullptr, 's'},
                          {"rounds", required_argument, nullptr, 'r'},
                          {"json", required_argument, nullptr, 'j'},
                          {}};
  Options options;
  for (int c = 0; (c = getopt_long(argc, argv, "", table, nullptr)) != -1;) {
    if (c == 'b') options.setting.bundle = optarg;
    if (c == 's') options.setting.scratch = optarg;
    if (c == 'r') options.rounds = std::atoi(optarg);  // NOLINT(cert-err34-c): 0 is refused below
    if (c == 'j') options.json = optarg;
    if (c == '?') return rt::Error("unknown option");
  }
  for (int i = optind; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    if (equals == std::string::npos) return rt::Error(rt::cat(word, ": not NAME=PATH"));
    options.tools.push_back({word.substr(0, equals), word.substr(equals + 1)});
  }
  if (options.setting.bundle.empty() || options.setting.scratch.empty() || options.rounds < 1 ||
      options.tools.empty()) {
    return rt::Error(
        "usage: bench --bundle DIR --scratch DIR [--rounds N] [--json FILE] NAME=PATH...");
  }
  return options;
}

/// A pass that does not count: fills caches, and shows who can take part.
std::vector<Series> warm_up(const Options& options) {
  std::vector<Series> all;
  for (const Tool& tool : options.tools) {
    const rt::Result<Pass> pass = time_pass(tool, options.setting);
    if (pass) {
      all.push_back({tool, {}, {}});
    } else {
      std::fprintf(stderr, "bench: left out: %s\n", pass.error().message().c_str());
    }
  }
  return all;
}

rt::Status measure(const Options& options, std::vector<Series>& all) {
  for (int round = 0; round < options.rounds; ++round) {
    for (size_t i = 0; i < all.size(); ++i) {
      Series& series = all[(i + static_cast<size_t>(round)) % all.size()];
      series.passes.push_back(TRY(time_pass(series.tool, options.setting)));
    }
  }
  for (int i = 0; i < kTraces; ++i) {
    for (Series& series : all) {
      series.traces.push_back(TRY(trace_pass(series.tool, options.setting)));
    }
  }
  return rt::ok();
}

rt::Status run(int argc, char** argv) {
  const Options options = TRY(read_options(argc, argv));
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return rt::Error::from_errno("prctl");
  std::vector<Series> all = warm_up(options);
  if (all.empty()) return rt::Error("no tool works");
  TRY(measure(options, all));
  const std::vector<Row> rows = summarize(all);
  print_table(all, rows);
  if (!options.json.empty()) {
    std::FILE* file = std::fopen(options.json.c_str(), "we");
    if (file == nullptr) return rt::Error::from_errno("open").within(options.json);
    write_json(file, all, rows);
    if (std::fclose(file) != 0) return rt::Error::from_errno("write").within(options.json);
  }
  if (all.size() != options.tools.size()) return rt::Error("a tool was left out");
  return rt::ok();
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  if (const rt::Status status = bench::run(argc, argv); !status) {
    std::fprintf(stderr, "bench: %s\n", status.error().message().c_str());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
