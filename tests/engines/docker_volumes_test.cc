// docker run: volumes, memory file systems, and mounts that pass in and out of a container.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

/// What the rows below mount: /srv/data with "file" and "inner/file", /srv/other with "file".
void make_sources() {
  for (const char* directory : {"/srv/data", "/srv/data/inner", "/srv/other"}) {
    ::mkdir(directory, 0755);
    std::ofstream(cat(directory, "/file")) << "of " << directory << '\n';
  }
}

const ScriptRow kVolumes[] = {
    {"ADirectory",
     {"-v=/srv/data:/data"},
     "cat /data/file /data/inner/file",
     "of /srv/data\nof /srv/data/inner\n"},
    {"AReadOnlyDirectory",
     {"-v=/srv/data:/data:ro"},
     "cat /data/file; touch /data/new 2>&1",
     "of /srv/data\ntouch: /data/new: Read-only file system\n",
     1},
    {"AFile", {"-v=/srv/data/file:/file"}, "cat /file", "of /srv/data\n"},
    {"AFileOverTheEnginesFile",
     {"-v=/srv/data/file:/etc/hosts"},
     "cat /etc/hosts",
     "of /srv/data\n"},
    {"AFileBelowADirectoryThatIsNotThere",
     {"-v=/srv/data/file:/a/b/c/file"},
     "cat /a/b/c/file",
     "of /srv/data\n"},
    {"TheMountOption",
     {"--mount=type=bind,source=/srv/data,target=/data,readonly"},
     "cat /data/file; touch /data/new 2>/dev/null",
     "of /srv/data\n",
     1},
    {"ALabelIsIgnored", {"-v=/srv/data:/data:z"}, "cat /data/file", "of /srv/data\n"},
    {"APrivateLabelIsIgnored", {"-v=/srv/data:/data:Z,ro"}, "cat /data/file", "of /srv/data\n"},
    // By depth, whatever the order of the options.
    {"ADirectoryInADirectory",
     {"-v=/srv/other:/data/inner", "-v=/srv/data:/data"},
     "cat /data/file /data/inner/file",
     "of /srv/data\nof /srv/other\n"},
    {"AReadOnlyDirectoryInAWritableOne",
     {"-v=/srv/data:/data", "-v=/srv/other:/data/inner:ro"},
     "touch /data/new && rm /data/new && echo new; touch /data/inner/new 2>/dev/null || echo no",
     "new\nno\n"},
    {"TheSameDirectoryTwice",
     {"-v=/srv/data:/one", "-v=/srv/data:/two:ro"},
     "touch /one/new && ls /two && rm /one/new",
     "file\ninner\nnew\n"},
    {"AnAnonymousVolume",
     {"-v=/data"},
     "touch /data/new && ls /data && grep -c ' /data ' /proc/mounts",
     "new\n1\n"},
    {"AnAnonymousVolumeHasTheImagesFiles", {"-v=/bin"}, "ls /bin/sh", "/bin/sh\n"},
    {"AMemoryFileSystem",
     {"--tmpfs=/memory"},
     "grep ' /memory ' /proc/mounts | cut -d, -f1-4",
     "tmpfs /memory tmpfs rw,nosuid,nodev,noexec\n"},
    {"AMemoryFileSystemWithOptions",
     {"--tmpfs=/memory:size=4m,mode=1750,uid=3,exec"},
     "stat -c '%a %u' /memory; cp /bin/busybox /memory/true && /memory/true && echo runs\n"
     "dd if=/dev/zero of=/memory/file bs=1M count=8 2>/dev/null || echo full",
     "1750 3\nruns\nfull\n"},
    {"AMemoryFileSystemThatExecutesNothing",
     {"--tmpfs=/memory"},
     "cp /bin/busybox /memory/true && /memory/true",
     "",
     126},
    {"AMemoryFileSystemOfTheMountOption",
     {"--mount=type=tmpfs,target=/memory,tmpfs-size=1048576,tmpfs-mode=0700"},
     "stat -c %a /memory; df -k /memory | awk 'END { print $2 }'",
     "700\n1024\n"},
};

class DockerVolumes : public DockerScript {
 protected:
  void SetUp() override {
    DockerScript::SetUp();
    if (!IsSkipped()) make_sources();
  }
};

TEST_P(DockerVolumes, Are) { check(); }

INSTANTIATE_TEST_SUITE_P(Run, DockerVolumes, ::testing::ValuesIn(kVolumes), kNameOfRow);

TEST_F(DockerVolumes, ANamedVolumeIsKeptFromOneContainerToTheNext) {
  const std::string volume = cat(name(), "-volume");
  EXPECT_TRUE(succeeds(run_shell({cat("-v=", volume, ":/data")}, "echo kept >/data/file")));
  EXPECT_EQ(run_shell({cat("-v=", volume, ":/data")}, "cat /data/file").out, "kept\n");
  EXPECT_TRUE(succeeds(docker({"volume", "rm", volume})));
}

TEST_F(DockerVolumes, OfAnotherContainerAreShared) {
  start({"-v=/data"}, {"sh", "-c", "echo shared >/data/file; exec sleep 1000"});
  EXPECT_TRUE(eventually(
      [&] { return run_shell({"--volumes-from", name()}, "cat /data/file").out == "shared\n"; }));
  remove();
}

TEST_F(DockerVolumes, OverFilesAndBehindLinksOfTheImage) {
  start({}, {"sh", "-c", "ln -s /bin /tmp/link; echo of the image >/etc/file"});
  docker({"wait", name()});
  ASSERT_TRUE(succeeds(docker({"commit", name(), "more"})));
  remove();
  const Outcome outcome =
      docker({"run", "--rm", "--network=none", "-v=/srv/data/file:/etc/file",
              "-v=/srv/other:/tmp/link/data", "more", "cat", "/etc/file", "/bin/data/file"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "of /srv/data\nof /srv/other\n");
}

TEST_F(DockerVolumes, WhatTheContainerWritesIsOnTheHost) {
  EXPECT_TRUE(succeeds(run_shell({"-v=/srv/data:/data"}, "echo new >/data/written")));
  EXPECT_EQ(text_of("/srv/data/written"), "new\n");
  ::unlink("/srv/data/written");
}

TEST_F(DockerVolumes, ADirectoryThatIsNotThereIsMadeByDocker) {
  EXPECT_TRUE(succeeds(run_shell({"-v=/srv/new:/data"}, "touch /data/file")));
  EXPECT_EQ(::access("/srv/new/file", F_OK), 0);
}

TEST_F(DockerVolumes, AFileOverADirectoryIsAnError) {
  const Outcome outcome = run({"-v=/srv/data/file:/etc"}, {"true"});
  EXPECT_EQ(outcome.exit_code, 125) << outcome.err;
  EXPECT_NE(outcome.err.find("Are you trying to mount a directory onto a file"), std::string::npos)
      << outcome.err;
}

/// Where mounts pass between the host and a container: of a bind mount's propagation.
struct Propagation {
  const char* mode;
  bool in;   // what the host mounts later is seen in the container
  bool out;  // what the container mounts is seen on the host
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const Propagation& row, std::ostream* out) { *out << row.mode; }

constexpr Propagation kPropagations[] = {
    {"private", false, false}, {"rprivate", false, false}, {"slave", true, false},
    {"rslave", true, false},   {"shared", true, true},     {"rshared", true, true},
};

bool is_mount_point(const std::string& path) {
  const std::string mounts = sys::read_file("/proc/self/mountinfo", size_t{1} << 20).value();
  return mounts.find(cat(' ', path, ' ')) != std::string::npos;
}

class DockerPropagation : public Docker, public ::testing::WithParamInterface<Propagation> {
 protected:
  void SetUp() override {
    Docker::SetUp();
    if (IsSkipped()) return;
    source_ = cat("/srv/", name());
    for (const char* directory : {"", "/in", "/out"}) {
      ::mkdir(cat(source_, directory).c_str(), 0755);
    }
  }
  void TearDown() override {
    for (const char* directory : {"/in", "/out", ""}) {
      ::umount2(cat(source_, directory).c_str(), MNT_DETACH);
    }
    Docker::TearDown();
  }
  std::string source_;
};

TEST_P(DockerPropagation, IsThatOfTheVolume) {
  const std::string volume = cat("-v=", source_, ":/data:", GetParam().mode);
  start({volume, "--cap-add=SYS_ADMIN"});
  ASSERT_EQ(::mount("none", (source_ + "/in").c_str(), "tmpfs", 0, nullptr), 0);
  const Outcome outcome = docker(
      {"exec", name(), "sh", "-c",
       "mount -t tmpfs none /data/out || exit 1; grep -c ' /data/in ' /proc/mounts; exit 0"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, GetParam().in ? "1\n" : "0\n");
  EXPECT_EQ(is_mount_point(source_ + "/out"), GetParam().out);
  remove();
}

INSTANTIATE_TEST_SUITE_P(Docker, DockerPropagation, ::testing::ValuesIn(kPropagations),
                         [](const auto& row) { return row.param.mode; });

TEST_F(DockerPropagation, IsNoneByDefault) {
  start({cat("-v=", source_, ":/data")});
  ASSERT_EQ(::mount("none", (source_ + "/in").c_str(), "tmpfs", 0, nullptr), 0);
  EXPECT_EQ(exec({"grep", "-c", " /data/in ", "/proc/mounts"}).out, "0\n");
  remove();
}

TEST_F(DockerPropagation, MountsBelowTheSourceComeAlong) {
  ASSERT_EQ(::mount("none", (source_ + "/in").c_str(), "tmpfs", 0, nullptr), 0);
  EXPECT_EQ(run({cat("-v=", source_, ":/data")}, {"grep", "-c", " /data/in ", "/proc/mounts"}).out,
            "1\n");
}

TEST_F(DockerPropagation, MountsBelowTheSourceStayOutWhenAskedTo) {
  ASSERT_EQ(::mount("none", (source_ + "/in").c_str(), "tmpfs", 0, nullptr), 0);
  const std::string mount = cat("--mount=type=bind,source=", source_, ",target=/data,");
  const Outcome outcome =
      run({mount + "bind-nonrecursive"}, {"grep", "-c", " /data", "/proc/mounts"});
  EXPECT_EQ(outcome.out, "1\n") << outcome.err;
}

TEST_F(DockerPropagation, NeedsASharedMountOfTheHost) {
  ASSERT_EQ(::mount("none", source_.c_str(), "tmpfs", 0, nullptr), 0);
  ASSERT_EQ(::mount(nullptr, source_.c_str(), nullptr, MS_PRIVATE, nullptr), 0);
  const Outcome outcome = run({cat("-v=", source_, ":/data:rshared")}, {"true"});
  EXPECT_EQ(outcome.exit_code, 125);
  EXPECT_NE(outcome.err.find("is not a shared mount"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace rt::testing
