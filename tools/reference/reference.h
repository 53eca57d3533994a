// What the command tables say, in the forms of other programs.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace rt::reference {

/// Name and text of each man page: "runtime.8", "runtime-create.8", ... man-pages(7).
std::vector<std::pair<std::string, std::string>> man_pages();

/// Completions of the command line for these shells.
std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace rt::reference
