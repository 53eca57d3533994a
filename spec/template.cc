#include "spec/template.h"

#include <initializer_list>
#include <string_view>

#include "spec/json_writer.h"
#include "spec/words.h"

namespace spec {
namespace {

using Words = std::initializer_list<std::string_view>;

void write_list(JsonWriter& json, std::string_view key, Words words) {
  json.key(key).begin_array();
  for (const std::string_view word : words) json.value(word);
  json.end_array();
}

void write_capabilities(JsonWriter& json) {
  const Words granted = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  json.key("capabilities").begin_object();
  write_list(json, "bounding", granted);
  write_list(json, "effective", granted);
  write_list(json, "permitted", granted);
  json.end_object();
}

void write_process(JsonWriter& json) {
  json.key("process").begin_object();
  json.key("terminal").value(true);
  json.key("user").begin_object();
  json.key("uid").value(0).key("gid").value(0).end_object();
  write_list(json, "args", {"sh"});
  write_list(json, "env",
             {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"});
  json.key("cwd").value("/");
  write_capabilities(json);
  json.key("rlimits").begin_array().begin_object();
  json.key("type").value("RLIMIT_NOFILE").key("hard").value(1024).key("soft").value(1024);
  json.end_object().end_array();
  json.key("noNewPrivileges").value(true);
  json.end_object();
}

void write_mount(JsonWriter& json, std::string_view destination, std::string_view type,
                 std::string_view source, Words options) {
  json.begin_object();
  json.key("destination").value(destination);
  json.key("type").value(type);
  json.key("source").value(source);
  if (options.size() != 0) write_list(json, "options", options);
  json.end_object();
}

void write_mounts(JsonWriter& json, bool rootless) {
  json.key("mounts").begin_array();
  write_mount(json, "/proc", "proc", "proc", {});
  write_mount(json, "/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"});
  if (rootless) {
    // Group 5 (tty) is not mapped.
    write_mount(json, "/dev/pts", "devpts", "devpts",
                {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"});
  } else {
    write_mount(json, "/dev/pts", "devpts", "devpts",
                {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"});
  }
  write_mount(json, "/dev/shm", "tmpfs", "shm",
              {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"});
  write_mount(json, "/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"});
  if (rootless) {
    // A new sysfs needs a network namespace of one's own user namespace.
    write_mount(json, "/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"});
  } else {
    write_mount(json, "/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
    write_mount(json, "/sys/fs/cgroup", "cgroup", "cgroup",
                {"nosuid", "noexec", "nodev", "relatime", "ro"});
  }
  json.end_array();
}

void write_namespaces(JsonWriter& json, bool rootless) {
  const Words rooted = {"pid", "network", "ipc", "uts", "mount", "cgroup"};
  const Words own = {"pid", "ipc", "uts", "mount", "cgroup", "user"};
  json.key("namespaces").begin_array();
  for (const std::string_view type : rootless ? own : rooted) {
    json.begin_object().key("type").value(type).end_object();
  }
  json.end_array();
}

void write_mapping(JsonWriter& json, std::string_view key, uint32_t host_id) {
  json.key(key).begin_array().begin_object();
  json.key("containerID").value(0).key("hostID").value(host_id).key("size").value(1);
  json.end_object().end_array();
}

void write_linux(JsonWriter& json, const TemplateOptions& options) {
  json.key("linux").begin_object();
  if (options.rootless) {
    write_mapping(json, "uidMappings", options.uid);
    write_mapping(json, "gidMappings", options.gid);
  } else {
    json.key("resources").begin_object().key("devices").begin_array();
    json.begin_object().key("allow").value(false).key("access").value("rwm").end_object();
    json.end_array().end_object();
  }
  write_namespaces(json, options.rootless);
  // What /proc and /sys tell of the host, or let change in it (CVE-2015-3630 and its kind).
  write_list(json, "maskedPaths",
             {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
              "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
              "/sys/firmware", "/sys/devices/virtual/powercap"});
  write_list(json, "readonlyPaths",
             {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"});
  json.end_object();
}

}  // namespace

std::string config_template(const TemplateOptions& options) {
  JsonWriter json(JsonWriter::Style::kPretty);
  json.begin_object();
  json.key("ociVersion").value(kOciVersion);
  write_process(json);
  json.key("root").begin_object();
  json.key("path").value("rootfs").key("readonly").value(true).end_object();
  json.key("hostname").value("runtime");
  write_mounts(json, options.rootless);
  write_linux(json, options);
  json.end_object();
  return json.text() + '\n';
}

}  // namespace spec
