// Asks systemd for the container's scope, and tells it of processes and limits. Started by the
// runtime; answers in one line: "ok", or "error " and why.
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "runtime/sys/file.h"
#include "runtime/systemd/order.h"
#include "runtime/systemd/scope.h"

namespace {

rt::Status obey(std::span<const std::string> words) {
  const rt::systemd::Order order = TRY(rt::systemd::parse_order(words), "command line");
  if (order.command == "start") return rt::systemd::start_scope(order);
  if (order.command == "attach") return rt::systemd::attach_process(order);
  return rt::systemd::set_unit_properties(order);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const rt::Status obeyed = obey(words);
  const std::string answer = obeyed ? "ok\n" : rt::cat("error ", obeyed.error().message(), '\n');
  const rt::Status told = rt::sys::write_all(1, answer);
  return obeyed && told ? EXIT_SUCCESS : EXIT_FAILURE;
}
