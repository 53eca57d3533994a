// The request to CRIU as JSON, in the names of its protocol.
#include "runtime/container/criu.h"
#include "spec/json_writer.h"

namespace rt::container {
namespace {

using spec::JsonWriter;

const char* name_of(CriuOrder::Task task) {
  switch (task) {
    case CriuOrder::Task::kDump:
      return "DUMP";
    case CriuOrder::Task::kPreDump:
      return "SINGLE_PRE_DUMP";  // after a PRE_DUMP it waits for the next order
    case CriuOrder::Task::kRestore:
      break;
  }
  return "RESTORE";
}

void write_true(JsonWriter& json, std::string_view name, bool truth) {
  if (truth) json.key(name).value(true);
}

void write_text(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.key(name).value(text);
}

void write_flags(JsonWriter& json, const CriuOrder& order) {
  write_true(json, "leave_running", order.leave_running);
  write_true(json, "tcp_established", order.tcp_established);
  write_true(json, "tcp_close", order.tcp_close);
  write_true(json, "tcp_skip_in_flight", order.tcp_skip_in_flight);
  write_true(json, "ext_unix_sk", order.external_unix_sockets);
  write_true(json, "shell_job", order.shell_job);
  write_true(json, "file_locks", order.file_locks);
  write_true(json, "link_remap", order.link_remap);
  write_true(json, "auto_dedup", order.auto_dedup);
  write_true(json, "track_mem", order.track_memory);
  constexpr uint32_t kNewNetwork = 0x40000000;  // CLONE_NEWNET
  if (order.empty_network) json.key("empty_ns").value(kNewNetwork);
}

void write_cgroups(JsonWriter& json, const CriuOrder& order) {
  write_text(json, "freeze_cgroup", order.freeze_cgroup);
  if (order.cgroups_mode.empty()) return;
  json.key("manage_cgroups").value(true);
  json.key("manage_cgroups_mode").value(order.cgroups_mode);
  write_text(json, "cgroup_yard", order.cgroup_yard);
  if (order.cgroup_roots.empty()) return;
  json.key("cg_root").begin_array();
  for (const auto& [controller, path] : order.cgroup_roots) {
    json.begin_object();
    write_text(json, "ctrl", controller);
    json.key("path").value(path).end_object();
  }
  json.end_array();
}

void write_names(JsonWriter& json, const CriuOrder& order) {
  if (!order.external.empty()) {
    json.key("external").begin_array();
    for (const std::string& one : order.external) json.value(one);
    json.end_array();
  }
  if (order.inherited.empty()) return;
  json.key("inherit_fd").begin_array();
  for (const InheritedFd& one : order.inherited) {
    json.begin_object().key("key").value(one.key).key("fd").value(one.fd.get()).end_object();
  }
  json.end_array();
}

}  // namespace

std::string to_json(const CriuOrder& order) {
  // The most that CRIU says: a failure on another machine cannot be asked again.
  constexpr int kLogLevel = 4;
  JsonWriter json;
  json.begin_object().key("type").value(name_of(order.task)).key("opts").begin_object();
  json.key("images_dir_fd").value(order.images.get());
  json.key("work_dir_fd").value(order.work.get());
  json.key("log_file").value(order.log_file).key("log_level").value(kLogLevel);
  write_text(json, "parent_img", order.parent);
  write_text(json, "root", order.root);
  write_text(json, "lsm_profile", order.lsm_profile);
  write_text(json, "lsm_mount_context", order.lsm_mount_context);
  if (order.pid != 0) json.key("pid").value(order.pid);
  write_text(json, "network_lock", order.network_lock);
  // A terminal's master end is not the container's.
  json.key("orphan_pts_master").value(true);
  if (order.task == CriuOrder::Task::kRestore) {
    json.key("notify_scripts").value(true).key("rst_sibling").value(true);
  }
  write_flags(json, order);
  write_cgroups(json, order);
  write_names(json, order);
  json.end_object().end_object();
  return json.text();
}

}  // namespace rt::container
