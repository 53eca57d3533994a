#include "runtime/kernel/explain.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstring>
#include <optional>
#include <string_view>

#include "runtime/base/unique_fd.h"
#include "runtime/sys/file.h"

namespace rt::kernel {
namespace {

constexpr size_t kPage = 4096;

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
constexpr Elf64_Half kOlderMachine = EM_386;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
constexpr Elf64_Half kOlderMachine = EM_ARM;
#else
#error "the name of this machine in ELF files"
#endif

/// What a link says, one step; empty for what is none.
std::string link_target(const std::string& path) {
  const Result<std::string> target = sys::readlinkat(AT_FDCWD, path);
  return target ? target.value() : "";
}

bool is_there(const std::string& path) { return sys::stat(path).ok(); }

/// The first part of `path` that does not answer to stat(2): "/a/b" of "/a/b/c".
std::string first_unusable(const std::string& path) {
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (!is_there(part)) return part;
  }
  return path;
}

std::string explain_missing(const std::string& path) {
  const std::string part = first_unusable(path);
  const std::string target = link_target(part);
  if (!target.empty()) return cat(part, " is a link to ", target, ", which is missing");
  if (part != path) return cat("the directory ", part, " is missing");
  return "";
}

std::string explain_loop(const std::string& path) {
  const std::string part = first_unusable(path);
  const std::string target = link_target(part);
  return target.empty() ? "" : cat(part, " is a link to ", target, ": the links have no end");
}

std::string explain_file_as_directory(const std::string& path) {
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    const Result<struct stat> info = sys::stat(part);
    if (info && !S_ISDIR(info.value().st_mode)) return cat(part, " is a file");
  }
  return "";
}

bool is_mounted_noexec(const std::string& path) {
  const Result<UniqueFd> file = sys::open(path, O_PATH);
  if (!file) return false;
  const Result<unsigned long> flags = sys::mount_flags(file.value().get());
  return flags && (flags.value() & ST_NOEXEC) != 0;
}

std::string explain_denial(const std::string& path) {
  const Result<struct stat> info = sys::stat(path);
  if (!info) {
    const std::string part = first_unusable(path);
    const std::string above = part.substr(0, part.rfind('/'));
    return cat("the directory ", above.empty() ? "/" : above, " may not be searched by this user");
  }
  const mode_t mode = info.value().st_mode;
  if (S_ISDIR(mode)) return "it is a directory";
  if (!S_ISREG(mode)) return "it is not a file";
  if ((mode & 0111) == 0) {
    return cat("its mode is 0", to_digits(mode & 07777, 8), ": no x bit; chmod +x in the image");
  }
  if (is_mounted_noexec(path)) return "it is on a mount with the option noexec";
  return cat("its mode is 0", to_digits(mode & 07777, 8), ", its owner ", info.value().st_uid, ':',
             info.value().st_gid, ": not executable for this user");
}

/// What would keep the kernel from using `interpreter` for a file.
std::string explain_interpreter(std::string_view what, const std::string& interpreter) {
  const Result<struct stat> info = sys::stat(interpreter);
  if (!info) {
    const std::string target = link_target(interpreter);
    const std::string link = target.empty() ? "" : cat(", a link to ", target, ',');
    return cat(what, ' ', interpreter, link, " is missing");
  }
  if (S_ISDIR(info.value().st_mode)) return cat(what, ' ', interpreter, " is a directory");
  if (!sys::access_execute(interpreter)) return cat(what, ' ', interpreter, " is not executable");
  return "";
}

/// "#!/bin/sh -e": execve(2), "Interpreter scripts".
std::string explain_script(std::string_view text) {
  std::string_view line = text.substr(2, text.find('\n') - 2);
  const size_t start = line.find_first_not_of(" \t");
  if (start == std::string_view::npos) return "its #! line names no interpreter";
  line.remove_prefix(start);
  const std::string interpreter(line.substr(0, line.find_first_of(std::string_view(" \t\0", 3))));
  if (interpreter.ends_with('\r')) {
    return "its #! line ends in \\r\\n, as on Windows: it needs \\n alone";
  }
  return explain_interpreter("its interpreter", interpreter);
}

template <class T>
std::optional<T> read_at(std::string_view text, uint64_t offset) {
  if (offset > text.size() || text.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, text.data() + offset, sizeof(T));
  return value;
}

/// The loader of a dynamic program: the segment PT_INTERP, where it is in the first page.
std::string loader_of(std::string_view text, const Elf64_Ehdr& header) {
  for (unsigned i = 0; i < header.e_phnum && i < kPage / sizeof(Elf64_Phdr); ++i) {
    const auto segment = read_at<Elf64_Phdr>(text, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) return "";
    if (segment->p_type != PT_INTERP || segment->p_offset >= text.size()) continue;
    const std::string_view name = text.substr(segment->p_offset, segment->p_filesz);
    return std::string(name.substr(0, name.find('\0')));
  }
  return "";
}

std::string explain_elf(std::string_view text) {
  const auto header = read_at<Elf64_Ehdr>(text, 0);
  if (!header) return "it is an ELF file that is cut off";
  if (header->e_ident[EI_DATA] != ELFDATA2LSB) return "it is for a machine of another byte order";
  const Elf64_Half machine = header->e_machine;  // at the same place in 32-bit files
  if (machine != kMachine && machine != kOlderMachine) {
    return cat("it is for another kind of machine: ELF machine ", machine, ", this one is ",
               kMachine);
  }
  if (header->e_ident[EI_CLASS] != ELFCLASS64) return "";
  if (header->e_type != ET_EXEC && header->e_type != ET_DYN) return "it is ELF, but not a program";
  const std::string loader = loader_of(text, *header);
  return loader.empty() ? "" : explain_interpreter("its loader", loader);
}

}  // namespace

std::string explain_path(const std::string& path, const Error& why) {
  switch (why.code()) {
    case ENOENT:
      return explain_missing(path);
    case ELOOP:
      return explain_loop(path);
    case ENOTDIR:
      return explain_file_as_directory(path);
    case EACCES:
      return explain_denial(path);
    default:
      return "";
  }
}

std::string explain_file(const std::string& path) {
  // Not blocking: who owns the image may have put a fifo in its place by now.
  const Result<UniqueFd> file = sys::open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return "";
  const Result<struct stat> info = sys::fstat(file.value().get());
  if (info && !S_ISREG(info.value().st_mode)) return "it is not a file";
  const Result<std::string> text = sys::read_start(file.value().get(), kPage);
  if (!text) return "";
  if (text.value().empty()) return "it is empty";
  if (text.value().starts_with("#!")) return explain_script(text.value());
  if (text.value().starts_with(ELFMAG)) return explain_elf(text.value());
  return "it is neither a program nor a script that begins with #!";
}

}  // namespace rt::kernel
