// What the document leaves to the runtime, or to the machine. runtime-spec config.md, "Root",
// "Linux Process"; runtime.md, "Create".
#include <fcntl.h>
#include <unistd.h>

#include "tests/support/container.h"

namespace rt::testing {
namespace {

using Root = Container;
using OomScore = Container;
using Document = Container;

TEST_F(Root, ThatDoesNotExistIsRefused) {
  config_.set_string("/root/path", "elsewhere");
  EXPECT_TRUE(fails_saying(create(), "no such file or directory"));
}

TEST_F(Root, ThatIsAFileIsRefused) {
  config_.set_string("/root/path", "config.json");
  EXPECT_TRUE(fails_saying(create(), "not a directory"));
}

TEST_F(Root, MayBeAnAbsolutePath) {
  config_.set_string("/root/path", rootfs());
  EXPECT_TRUE(succeeds(run()));
}

TEST_F(OomScore, IsTheCallersWhenTheDocumentHasNone) {
  Call call;
  // To raise it takes no privilege.
  call.before_exec = [] {
    const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (::write(file, "321", 3) != 3) ::_exit(125);
  };
  config_.args({"/bin/cat", "/proc/self/oom_score_adj"});
  EXPECT_EQ(run(call).out, "321\n");
}

TEST_F(Document, ThatChangesAfterCreateHasNoEffect) {
  config_.shell("echo first >/tmp/out");
  ASSERT_TRUE(succeeds(create()));
  config_.shell("echo second >/tmp/out");
  write_config();
  EXPECT_TRUE(succeeds(start()));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_EQ(read(rootfs() + "/tmp/out"), "first\n");
  EXPECT_TRUE(succeeds(remove()));
}

}  // namespace
}  // namespace rt::testing
