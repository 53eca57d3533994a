// Control files as numbers. For this package, and its tests.
//
// A line that a file has beyond what we know is passed over: kernels add to them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cgroup/stats.h"

namespace rt::cgroup {

/// Lines of a name and a number.
Table parse_table(std::string_view text);
/// "0-2,7": cpuset(7), "List format".
std::vector<uint16_t> parse_list(std::string_view text);
/// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same of "full".
Pressure parse_pressure(std::string_view text);
/// v1: "8:0 Read 4096", and the sum of all devices ("Total 4096"), which is left out.
std::vector<BlockIoEntry> parse_block_io(std::string_view text);
/// v2 io.stat: "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0".
struct IoStat {
  std::vector<BlockIoEntry> bytes;
  std::vector<BlockIoEntry> operations;
};
IoStat parse_io_stat(std::string_view text);
/// "mlx4_0 hca_handle=2 hca_object=2000".
std::map<std::string, Table> parse_rdma(std::string_view text);

/// The files of one directory. What is not there is nothing, 0 or empty.
class Figures {
 public:
  explicit Figures(int directory) : directory_(directory) {}

  [[nodiscard]] Result<std::optional<std::string>> find(const std::string& file) const;
  [[nodiscard]] Result<std::string> text(const std::string& file) const;
  /// "max" is kUnlimited.
  [[nodiscard]] Result<uint64_t> number(const std::string& file) const;
  [[nodiscard]] Result<Table> table(const std::string& file) const;
  /// "1 2 3 ".
  [[nodiscard]] Result<std::vector<uint64_t>> numbers(const std::string& file) const;
  [[nodiscard]] Result<std::optional<Pressure>> pressure(const std::string& file) const;
  /// Those that X in "hugetlb.X<suffix>" stands for.
  [[nodiscard]] Result<std::vector<std::string>> page_sizes(std::string_view suffix) const;

 private:
  int directory_;
};

/// What `table` says of `name`; 0 when it does not.
uint64_t number_in(const Table& table, const std::string& name);

}  // namespace rt::cgroup
