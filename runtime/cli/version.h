// What `--version` and `features` say of the program itself.
#pragma once

#include <string_view>

namespace rt::cli {

inline constexpr std::string_view kVersion = "0.1.0";

/// The commit it was built from; with "-dirty" where the tree was not quite that, "unknown" where
/// there was no repository. The build makes commit.cc (BUILD.bazel), so that nothing else is
/// compiled anew for the next commit.
extern const std::string_view kCommit;

}  // namespace rt::cli
