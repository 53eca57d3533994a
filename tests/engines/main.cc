// Every test program of this folder runs on a machine of its own.
#include <gtest/gtest.h>

#include "tests/engines/machine.h"

int main(int argc, char** argv) {
  return rt::testing::on_a_machine([&] {
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
  });
}
