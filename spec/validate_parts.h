// What the files of the validator share; not for anybody else.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spec/config.h"
#include "spec/diagnostic.h"

namespace spec {

/// The place of a value: a chain from the value up to the document, each link a local variable of
/// the function that went one step down. Text is only made of it when something is wrong.
class Path {
 public:
  Path() = default;  // the whole document
  [[nodiscard]] Path member(std::string_view key) const { return {this, key, 0}; }
  [[nodiscard]] Path element(size_t index) const { return {this, {}, index}; }
  [[nodiscard]] std::string pointer() const;

 private:
  Path(const Path* parent, std::string_view key, size_t index)
      : parent_(parent), key_(key), index_(index) {}

  const Path* parent_ = nullptr;
  std::string_view key_;  // no data: an element
  size_t index_ = 0;
};

// The numbers of a device that the kernel can hold: include/linux/kdev_t.h.
inline constexpr int64_t kHighestMajor = (1 << 12) - 1;
inline constexpr int64_t kHighestMinor = (1 << 20) - 1;

/// Collects what a rule finds. Keeps the first kMaxDiagnostics.
class Findings {
 public:
  explicit Findings(std::vector<Diagnostic>& into) : into_(into) {}
  /// The same list, under another heading of the specification.
  [[nodiscard]] Findings in(std::string_view section) const { return {into_, section}; }

  void error(const Path& at, std::string message, Place place = Place::kValue);
  void warning(const Path& at, std::string message, Place place = Place::kValue);

  /// An error unless `path` begins with "/".
  void expect_absolute(const Path& at, std::string_view path);
  /// An error unless `word` is one of `known`; `kind` is what such a word is.
  bool expect_word(const Path& at, std::string_view word, std::string_view kind,
                   std::span<const std::string_view> known);
  /// An error unless `list` looks like "0-3,7", with no number above `highest`.
  void expect_list(const Path& at, std::string_view list, uint64_t highest);
  /// An error when `id` is 4294967295: for the kernel that is -1, "leave it as it is".
  void expect_id(const Path& at, uint32_t id);
  void expect_range(const Path& at, int64_t value, int64_t min, int64_t max);

 private:
  Findings(std::vector<Diagnostic>& into, std::string_view section)
      : into_(into), section_(section) {}
  void add(Severity severity, const Path& at, std::string message, Place place);

  std::vector<Diagnostic>& into_;
  std::string_view section_;
};

/// `; did you mean "X"?`, or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> known);
[[nodiscard]] bool is_one_of(std::string_view word, std::span<const std::string_view> known);

/// Whether the list has a namespace of this type, new or joined.
[[nodiscard]] const Namespace* find_namespace(const Linux& linux_config, std::string_view type);
/// Whether `name` can be a network interface's: 1 to 15 bytes, no slash, colon or space.
[[nodiscard]] bool is_interface_name(std::string_view name);

void check_process(const Path& at, const Process& process, Findings findings);
void check_environment(const Path& at, const std::vector<std::string>& env, Findings findings);
void check_linux(const Path& at, const Linux& linux_config, Findings findings);
void check_mappings(const Path& at, const std::vector<IdMapping>& mappings, Findings findings);
void check_process_attributes(const Path& at, const Process& process, Findings findings);
void check_memory_policy(const Path& at, const MemoryPolicy& policy, Findings findings);
void check_personality(const Path& at, const Personality& personality, Findings findings);
void check_sysctl(const Path& at, const Linux& linux_config, Findings findings);
void check_seccomp(const Path& at, const Seccomp& seccomp, Findings findings);
void check_resources(const Path& at, const Resources& resources, Findings findings);

}  // namespace spec
