// linux.mountLabel: the SELinux label of all files of the file systems that the container gets.
// runtime-spec config-linux.md, "Mount Label"; mount(8), option "context".
#include <algorithm>
#include <array>

#include "runtime/plan/mount_parts.h"
#include "runtime/plan/parts.h"

namespace rt::plan {
namespace {

/// Their files have labels by what they are, given by the policy; a context option is refused.
constexpr std::array<std::string_view, 5> kOfThePolicy = {"cgroup", "cgroup2", "proc", "selinuxfs",
                                                          "sysfs"};

/// With labels of each file's own, but mounted once by the kernel itself, without any option: there
/// only files can be labelled.
constexpr std::string_view kMountedBefore = "mqueue";

/// Said by the document for this one mount already.
bool has_context(const NewFilesystem& fresh) {
  return std::any_of(
      fresh.parameters.begin(), fresh.parameters.end(),
      [](const FilesystemParameter& parameter) { return parameter.key == "context"; });
}

}  // namespace

void label_mount(const Draft& draft, MountStep& step) {
  const std::string& label = draft.config.linux_.mount_label;
  auto* fresh = std::get_if<NewFilesystem>(&step.what);
  if (label.empty() || fresh == nullptr) return;
  if (std::find(kOfThePolicy.begin(), kOfThePolicy.end(), fresh->type) != kOfThePolicy.end()) {
    return;
  }
  if (fresh->type == kMountedBefore) {
    step.root_label = label;
  } else if (!has_context(*fresh)) {
    fresh->parameters.push_back({"context", label});
  }
}

}  // namespace rt::plan
