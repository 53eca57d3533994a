// What it means that the kernel has not a limit, or does not take it, and what to do. For this
// package alone.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace rt::cgroup {

/// Why there is no control file of this name in `directory` (-1: the directory is not there
/// either); "" where there is nothing to say.
std::string why_missing(int directory, const std::string& file);

/// The error of a write of `value`, with the errno it had, and with a hint.
Error explain_refusal(int directory, const std::string& file, std::string_view value, Error error);

/// `text` as it is when it is one line to print, in quotes otherwise.
std::string plain(std::string_view text);

}  // namespace rt::cgroup
