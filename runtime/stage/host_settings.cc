// A namespace that is joined by path may turn out to be the host's own.
#include "runtime/kernel/namespaces.h"
#include "runtime/stage/context.h"

namespace rt::stage {
namespace {

using plan::NamespaceKind;

/// Whose parameter it is. runtime-spec config-linux.md, "Sysctl"; sysctl(8) of the kernel.
NamespaceKind kind_of(const plan::Sysctl& sysctl) {
  const std::string_view file = sysctl.file;
  if (file.starts_with("net/")) return NamespaceKind::kNetwork;
  if (file.starts_with("user/")) return NamespaceKind::kUser;
  if (file == "kernel/domainname" || file == "kernel/hostname") return NamespaceKind::kUts;
  return NamespaceKind::kIpc;
}

/// The place in the document that would change this kind of namespace; null: none.
const plan::Origin* changed_by(const plan::Plan& plan, NamespaceKind kind) {
  static const plan::Origin kHostname = "/hostname";
  static const plan::Origin kDomainname = "/domainname";
  if (kind == NamespaceKind::kUts && plan.hostname) return &kHostname;
  if (kind == NamespaceKind::kUts && plan.domainname) return &kDomainname;
  for (const plan::Sysctl& sysctl : plan.sysctls) {
    if (kind_of(sysctl) == kind) return &sysctl.origin;
  }
  return nullptr;
}

}  // namespace

Status refuse_host_settings(const Context& context) {
  for (const kernel::OpenNamespace& target : context.namespaces) {
    const plan::Origin* origin = changed_by(context.plan, target.step.kind);
    if (origin == nullptr) continue;
    const bool own = TRY(kernel::is_own(target), target.step.join);
    if (!own) continue;
    return Error(cat("would change the runtime's own namespace, which ", quoted(target.step.join),
                     " is"))
        .at(*origin);
  }
  return ok();
}

}  // namespace rt::stage
