// Makes configs that are valid and unlike each other: each property is there or not, by chance.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/support/bundle.h"

namespace rt::conformance {

/// What a generated config may refer to.
struct Material {
  std::string source;  // a directory of the host to bind, holding a directory "tree"
  std::string joined;  // /proc/PID/ns of a process with ipc, network and uts namespaces of its own
};

/// The dice, and the config in the making.
class Generator {
 public:
  Generator(uint64_t seed, Material material) : dice_(seed), material_(std::move(material)) {}

  /// The same seed makes the same configs in the same order. The root has the directories
  /// /m0 to /m5, /masked and /kept and the files /masked-file and /kept-file.
  testing::Config next();

 private:
  // One a property, or a family that depends on itself.
  void namespaces(testing::Config& config);
  void user(testing::Config& config);
  void words(testing::Config& config);
  void capabilities(testing::Config& config);
  void rlimits(testing::Config& config);
  void scheduling(testing::Config& config);
  void names(testing::Config& config);
  void mounts(testing::Config& config);
  void root(testing::Config& config);
  void restrictions(testing::Config& config);
  void devices(testing::Config& config);
  void seccomp(testing::Config& config);

  [[nodiscard]] uint64_t between(uint64_t low, uint64_t high) {
    return std::uniform_int_distribution<uint64_t>(low, high)(dice_);
  }
  /// True `percent` times of a hundred.
  [[nodiscard]] bool maybe(unsigned percent) { return between(1, 100) <= percent; }
  [[nodiscard]] const char* one_of(const std::vector<const char*>& choices) {
    return choices[between(0, choices.size() - 1)];
  }
  /// Each of them with that chance, in their order.
  [[nodiscard]] std::vector<std::string> some_of(const std::vector<std::string>& choices,
                                                 unsigned percent);
  [[nodiscard]] bool has_user_namespace() const { return user_namespace_; }
  void add_namespace(testing::Config& config, const char* type, const char* file);
  void bind_mount(testing::Config& config, const std::string& destination);
  [[nodiscard]] std::vector<std::string> attributes();

  std::mt19937_64 dice_;
  Material material_;
  bool user_namespace_ = false;
  std::vector<std::string> made_;  // types of the new namespaces
};

}  // namespace rt::conformance
