// What the probe looks at: each function writes one or more members of the report's object. Nothing
// here ends the program: what cannot be seen is reported as such.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/conformance/probe/writer.h"

namespace probe {

/// What the command line asks for: words of the form "name=value".
struct Questions {
  std::vector<std::string> paths;    // path=: what is there, and what can be done with it
  std::vector<std::string> sysctls;  // sysctl=: "net.ipv4.ip_forward"
  std::vector<std::string> calls;    // call=NUMBER[:ARGUMENT...]: the answer to a system call
};

// identity.cc
void write_ids(Writer& out);           // ids, umask
void write_capabilities(Writer& out);  // capabilities, noNewPrivileges
void write_seccomp(Writer& out);
void write_keyring(Writer& out);

// resources.cc
void write_rlimits(Writer& out);
void write_scheduling(Writer& out);  // scheduler, ioPriority, cpus, memoryPolicy
void write_settings(Writer& out);    // oomScoreAdj, personality

// session.cc
void write_session(Writer& out);
void write_signals(Writer& out);
void write_terminal(Writer& out);

// surroundings.cc
void write_names(Writer& out);       // hostname, domainname
void write_namespaces(Writer& out);  // namespaces, uidMappings, gidMappings
void write_clocks(Writer& out);
void write_network(Writer& out);
void write_sysctls(Writer& out, const std::vector<std::string>& names);

// mounts.cc
void write_mounts(Writer& out);

// files.cc
void write_descriptors(Writer& out);
void write_devices(Writer& out);
void write_paths(Writer& out, const std::vector<std::string>& paths);

// calls.cc
void write_calls(Writer& out, const std::vector<std::string>& calls);

// text.cc
/// The file's text, up to 1 MiB; empty when it cannot be read.
std::string read_text(const std::string& path);
std::string without_newline(std::string text);
std::string link_target(const std::string& path);
/// The parts of `text` between separators.
std::vector<std::string> split(const std::string& text, char separator);
/// "EPERM"; "" for 0.
std::string errno_name(int code);
/// What follows "name:" in /proc/self/status.
std::string status_field(std::string_view name);

}  // namespace probe
