// The program: its arguments in, its exit code out.
#include "runtime/cli/commands.h"
#include "runtime/kernel/seal.h"

int main(int argc, char** argv, char** environment) {
  const auto seal = [&] { return rt::kernel::seal_binary(argv, environment); };
  return rt::cli::run_program({argv, argv + argc}, seal);
}
