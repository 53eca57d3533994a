// Why a program cannot be executed, in words: the kernel's errno tells an image's author too
// little.
#pragma once

#include <string>

#include "runtime/base/result.h"

namespace rt::kernel {

/// Of a path that could not be looked up or may not be executed, `why` being the error: which part
/// of it is missing, what a link points to, which directory may not be searched, which mount or
/// mode forbids it. Empty when nothing is seen.
///
/// As whom the payload will run, and in its root. Looks, and executes nothing; the words that
/// engines search for ("no such file or directory", "permission denied") are not among those it
/// uses.
std::string explain_path(const std::string& path, const Error& why);

/// Of a file that may be executed, what execve(2) will fail at: no interpreter of "#!", or a "\r"
/// in its name, no loader of a dynamic program, another machine's code, no program at all. Reads
/// the first page of it. Empty when nothing is seen.
std::string explain_file(const std::string& path);

}  // namespace rt::kernel
