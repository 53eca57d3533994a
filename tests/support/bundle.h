// Bundles for tests: a busybox root and a config.json that is edited before it is written.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/json.h"

namespace rt::testing {

/// A directory below /tmp that everybody may enter, gone with all that is in it at the end.
/// (Bazel's own temporary directory is closed to other users.)
class PublicDirectory {
 public:
  PublicDirectory();
  PublicDirectory(const PublicDirectory&) = delete;
  PublicDirectory& operator=(const PublicDirectory&) = delete;
  ~PublicDirectory();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Removes a tree without following links or crossing into other file systems.
void remove_tree(const std::string& path);

/// Copies a file; the copy has this mode.
void copy_file(const std::string& from, const std::string& to, mode_t mode);

/// A root file system: busybox (Debian's busybox-static) under the names of its common applets, and
/// the usual empty directories.
void make_busybox_root(const std::string& directory);

/// A config.json in the making. Begins as a container like that of `spec`, without a terminal, that
/// runs /bin/true.
class Config {
 public:
  Config();
  Config& set(std::string_view pointer, std::string_view json) {
    json_.set(pointer, json);
    return *this;
  }
  Config& set_string(std::string_view pointer, std::string_view text) {
    return set(pointer, json_string(text));
  }
  Config& add(std::string_view pointer, std::string_view json) {
    json_.add(pointer, json);
    return *this;
  }
  Config& erase(std::string_view pointer) {
    json_.erase(pointer);
    return *this;
  }
  Config& args(const std::vector<std::string>& words) {
    return set("/process/args", json_strings(words));
  }
  Config& shell(std::string_view script) { return args({"/bin/sh", "-c", std::string(script)}); }
  Config& mount(std::string_view destination, std::string_view type, std::string_view source,
                const std::vector<std::string>& options);
  /// Takes the namespace out: the container shares it with the test.
  Config& without_namespace(std::string_view type);
  Config& join_namespace(std::string_view type, std::string_view path);
  /// A user namespace: ids 0 to 65535 of the container are 100000 to 165535 of the host.
  Config& user_namespace();
  Config& user_namespace(std::string_view user_map, std::string_view group_map);
  [[nodiscard]] const Json& json() const { return json_; }
  [[nodiscard]] std::string text() const { return json_.text(); }

 private:
  Json json_;
};

}  // namespace rt::testing
