// Files and sockets that are where the caller says: the pid file, the log, a new config.json, whom
// a descriptor goes to; documents.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace rt::container {

/// Writes `pid` in digits, without a newline, to `path`: a reader sees no file or a complete one. A
/// file that is there is replaced; a link that is there is not followed.
Status write_pid_file(const std::string& path, pid_t pid);

/// --pidfd-socket: sends it as below.
Status send_pidfd(const std::string& socket_path, int pidfd);

/// Sends the descriptor to the stream socket at `path`, in one message whose text is `name`.
/// `option` is what asked for it: "--console-socket".
Status send_to_socket(std::string_view option, const std::string& path, std::string_view name,
                      int descriptor);

/// The text of the file at `path`; "-" is standard input. Of a pipe (/dev/fd/N) all that its
/// writers write.
Result<std::string> read_document(const std::string& path);

/// Appends `line` and a newline to `path` in one write, and makes the file (0644) when there is
/// none.
Status append_line(const std::string& path, std::string_view line);

/// Writes `text` to `path`, which must not exist.
Status write_new_file(const std::string& path, std::string_view text);

}  // namespace rt::container
