// The payload: who it is and what it may use. runtime-spec config.md, "Process".
#include "runtime/plan/parts.h"

#include <sys/resource.h>

#include <array>

namespace rt::plan {
namespace {

struct RlimitName {
  std::string_view name;
  int resource;
};

constexpr std::array kRlimits = {
    RlimitName{"RLIMIT_AS", RLIMIT_AS},
    RlimitName{"RLIMIT_CORE", RLIMIT_CORE},
    RlimitName{"RLIMIT_CPU", RLIMIT_CPU},
    RlimitName{"RLIMIT_DATA", RLIMIT_DATA},
    RlimitName{"RLIMIT_FSIZE", RLIMIT_FSIZE},
    RlimitName{"RLIMIT_LOCKS", RLIMIT_LOCKS},
    RlimitName{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    RlimitName{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    RlimitName{"RLIMIT_NICE", RLIMIT_NICE},
    RlimitName{"RLIMIT_NOFILE", RLIMIT_NOFILE},
    RlimitName{"RLIMIT_NPROC", RLIMIT_NPROC},
    RlimitName{"RLIMIT_RSS", RLIMIT_RSS},
    RlimitName{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    RlimitName{"RLIMIT_RTTIME", RLIMIT_RTTIME},
    RlimitName{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    RlimitName{"RLIMIT_STACK", RLIMIT_STACK},
};

Result<int> rlimit_number(std::string_view name) {
  for (const RlimitName& row : kRlimits) {
    if (row.name == name) return row.resource;
  }
  return Error(cat("unknown limit ", quoted(name)));
}

Result<std::vector<Rlimit>> plan_rlimits(const std::vector<spec::Rlimit>& wanted) {
  std::vector<Rlimit> limits;
  for (size_t i = 0; i < wanted.size(); ++i) {
    Rlimit limit;
    limit.origin = cat("/process/rlimits/", i);
    limit.resource =
        TRY(at(limit.origin, rlimit_number(wanted[i].type)), "process.rlimits[", i, "]");
    limit.name = wanted[i].type;
    limit.soft = wanted[i].soft;
    limit.hard = wanted[i].hard;
    limits.push_back(std::move(limit));
  }
  return limits;
}

bool is_mapped(const std::vector<IdRange>& ranges, uint32_t id) {
  for (const IdRange& range : ranges) {
    if (id >= range.container_id && id - range.container_id < range.size) return true;
  }
  return false;
}

struct Id {
  uint32_t number;
  const std::vector<IdRange>& ranges;
  std::string place;  // "process.user.uid"
  Origin origin;
  std::string_view maps;  // "linux.uidMappings"
};

Status check_id(const Id& id) {
  if (is_mapped(id.ranges, id.number)) return ok();
  return Error(cat(id.place, ": ", id.number, " is not mapped in ", id.maps)).at(id.origin);
}

Status check_user(const spec::User& user, const IdMaps& maps) {
  const std::vector<IdRange>& gids = maps.gids;
  TRY(check_id(
      {user.uid, maps.uids, "process.user.uid", "/process/user/uid", "linux.uidMappings"}));
  TRY(check_id({user.gid, gids, "process.user.gid", "/process/user/gid", "linux.gidMappings"}));
  for (size_t i = 0; i < user.additional_gids.size(); ++i) {
    TRY(check_id({user.additional_gids[i], gids, cat("process.user.additionalGids[", i, "]"),
                  cat("/process/user/additionalGids/", i), "linux.gidMappings"}));
  }
  if (maps.deny_setgroups && !user.additional_gids.empty()) {
    return Error(
               "process.user.additionalGids: setgroups is denied in a user namespace that an "
               "unprivileged user maps")
        .at("/process/user/additionalGids");
  }
  return ok();
}

}  // namespace

Result<std::optional<ProcessStep>> plan_process(Draft& draft) {
  const std::optional<spec::Process>& wanted = draft.config.process;
  if (!wanted) return std::optional<ProcessStep>();
  const std::optional<IdMaps>& maps = draft.plan.id_maps;
  if (maps) TRY(check_user(wanted->user, *maps));
  ProcessStep step;
  step.args = wanted->args;
  step.env = wanted->env;
  step.cwd = wanted->cwd.empty() ? "/" : wanted->cwd;
  step.uid = wanted->user.uid;
  step.gid = wanted->user.gid;
  step.groups = wanted->user.additional_gids;
  step.may_set_groups = !maps || !maps->deny_setgroups;
  step.umask = wanted->user.umask.value_or(022);
  step.no_new_privileges = wanted->no_new_privileges;
  step.oom_score_adj = wanted->oom_score_adj;
  step.rlimits = TRY(plan_rlimits(wanted->rlimits));
  TRY(plan_process_attributes(draft, *wanted, step));
  step.labels = plan_labels(*wanted);
  step.origin = "/process";
  step.capabilities_origin =
      wanted->capabilities ? "/process/capabilities" : "default: capabilities";
  if (wanted->capabilities) step.capabilities = plan_capabilities(draft, *wanted->capabilities);
  return std::optional<ProcessStep>(std::move(step));
}

}  // namespace rt::plan
