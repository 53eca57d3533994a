// Each way in which a program can be broken has its own explanation.
#include "runtime/kernel/explain.h"

#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "runtime/sys/file.h"
#include "tests/support/temporary_directory.h"

namespace rt::kernel {
namespace {

using rt::testing::TemporaryDirectory;

class Explain : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }

  std::string file(const std::string& name, const std::string& text, mode_t mode = 0755) const {
    const Result<UniqueFd> made = sys::open(path(name), O_WRONLY | O_CREAT | O_EXCL, 0600);
    EXPECT_TRUE(made.ok());
    EXPECT_TRUE(sys::write_all(made.value().get(), text).ok());
    EXPECT_TRUE(sys::fchmod(made.value().get(), mode).ok());
    return path(name);
  }

  TemporaryDirectory directory_;
};

Error failed(int code) { return Error::from_errno("stat", code); }

TEST_F(Explain, NamesTheMissingPartOfAPath) {
  EXPECT_EQ(explain_path(path("a/b/c"), failed(ENOENT)),
            "the directory " + path("a") + " is missing");
  // Nothing can be added to what the error says already.
  EXPECT_EQ(explain_path(path("a"), failed(ENOENT)), "");
}

TEST_F(Explain, NamesTheTargetOfALinkThatLeadsNowhere) {
  ASSERT_EQ(::symlink("/gone/sh", path("sh").c_str()), 0);
  EXPECT_EQ(explain_path(path("sh"), failed(ENOENT)),
            path("sh") + " is a link to /gone/sh, which is missing");
}

TEST_F(Explain, NamesALinkThatLeadsToItself) {
  ASSERT_EQ(::symlink("ring", path("ring").c_str()), 0);
  EXPECT_EQ(explain_path(path("ring/sh"), failed(ELOOP)),
            path("ring") + " is a link to ring: the links have no end");
}

TEST_F(Explain, NamesAFileThatIsUsedAsADirectory) {
  const std::string plain = file("plain", "x");
  EXPECT_EQ(explain_path(plain + "/x", failed(ENOTDIR)), plain + " is a file");
}

TEST_F(Explain, SaysWhyItMayNotBeExecuted) {
  EXPECT_EQ(explain_path(directory_.path(), failed(EACCES)), "it is a directory");
  EXPECT_EQ(explain_path("/dev/null", failed(EACCES)), "it is not a file");
  EXPECT_EQ(explain_path(file("plain", "x", 0644), failed(EACCES)),
            "its mode is 0644: no x bit; chmod +x in the image");
  const std::string mine = file("mine", "x", 0700);
  EXPECT_EQ(explain_path(mine, failed(EACCES)), cat("its mode is 0700, its owner ", ::getuid(), ':',
                                                    ::getgid(), ": not executable for this user"));
}

TEST_F(Explain, NamesAMountThatForbidsExecution) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  const std::string mount = path("mount");
  ASSERT_EQ(::mkdir(mount.c_str(), 0755), 0);
  ASSERT_EQ(::mount("tmpfs", mount.c_str(), "tmpfs", MS_NOEXEC, "size=64k"), 0);
  const std::string program = file("mount/program", "#!/bin/sh\n");
  EXPECT_EQ(explain_path(program, failed(EACCES)), "it is on a mount with the option noexec");
  ASSERT_EQ(::umount2(mount.c_str(), MNT_DETACH), 0);
}

TEST_F(Explain, NamesTheInterpreterThatAScriptMisses) {
  EXPECT_EQ(explain_file(file("script", "#! /gone/bash -e\n")),
            "its interpreter /gone/bash is missing");
  EXPECT_EQ(explain_file(file("short", "#!/gone/bash")), "its interpreter /gone/bash is missing");
  EXPECT_EQ(explain_file(file("directory", "#!/tmp\n")), "its interpreter /tmp is a directory");
  EXPECT_EQ(explain_file(file("plain", "#!/etc/passwd\n")),
            "its interpreter /etc/passwd is not executable");
  EXPECT_EQ(explain_file(file("none", "#!\necho\n")), "its #! line names no interpreter");
  ASSERT_EQ(::symlink("/gone/dash", path("link").c_str()), 0);
  EXPECT_EQ(explain_file(file("linked", cat("#!", path("link"), '\n'))),
            cat("its interpreter ", path("link"), ", a link to /gone/dash, is missing"));
}

TEST_F(Explain, SeesLineEndsOfWindows) {
  EXPECT_EQ(explain_file(file("script", "#!/bin/sh\r\necho\r\n")),
            "its #! line ends in \\r\\n, as on Windows: it needs \\n alone");
}

TEST_F(Explain, SeesWhatIsNoProgram) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0755), 0);
  EXPECT_EQ(explain_file(path("fifo")), "it is not a file");
  EXPECT_EQ(explain_file(file("empty", "")), "it is empty");
  EXPECT_EQ(explain_file(file("text", "echo hello\n")),
            "it is neither a program nor a script that begins with #!");
}

/// An ELF header with one segment, which names a loader.
std::string elf(Elf64_Half machine, const std::string& loader) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_DYN;
  header.e_machine = machine;
  header.e_phoff = sizeof(Elf64_Ehdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_INTERP;
  segment.p_offset = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  segment.p_filesz = loader.size() + 1;
  std::string text(reinterpret_cast<const char*>(&header), sizeof(header));
  text.append(reinterpret_cast<const char*>(&segment), sizeof(segment));
  return text + loader + '\0';
}

TEST_F(Explain, NamesTheLoaderThatAProgramMisses) {
  EXPECT_EQ(explain_file(file("dynamic", elf(EM_X86_64, "/gone/ld-musl.so.1"))),
            "its loader /gone/ld-musl.so.1 is missing");
  EXPECT_EQ(explain_file(file("good", elf(EM_X86_64, "/bin/sh"))), "");
}

TEST_F(Explain, SeesAnotherMachinesCode) {
  EXPECT_EQ(explain_file(file("arm", elf(EM_AARCH64, "/bin/sh"))),
            "it is for another kind of machine: ELF machine 183, this one is 62");
  std::string swapped = elf(EM_S390, "/bin/sh");
  swapped[EI_DATA] = ELFDATA2MSB;
  EXPECT_EQ(explain_file(file("s390", swapped)), "it is for a machine of another byte order");
}

TEST_F(Explain, SeesWhatIsCutOff) {
  EXPECT_EQ(explain_file(file("cut", "\177ELF\2\1\1")), "it is an ELF file that is cut off");
}

TEST_F(Explain, HostileHeadersAreOnlyLookedAt) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_phoff = ~Elf64_Off{0} - 3;
  header.e_phnum = 0xffff;
  EXPECT_EQ(explain_file(file("far", {reinterpret_cast<const char*>(&header), sizeof(header)})),
            "");
  std::string long_name = elf(EM_X86_64, "/bin/sh");
  auto* segment = reinterpret_cast<Elf64_Phdr*>(long_name.data() + sizeof(Elf64_Ehdr));
  segment->p_filesz = ~Elf64_Xword{0};
  EXPECT_EQ(explain_file(file("long", long_name)), "");
}

TEST_F(Explain, WorkingProgramsNeedNoExplanation) {
  EXPECT_EQ(explain_file("/bin/sh"), "");
  EXPECT_EQ(explain_file("/bin/busybox"), "");
  EXPECT_EQ(explain_file(file("script", "#!/bin/sh\n")), "");
}

}  // namespace
}  // namespace rt::kernel
