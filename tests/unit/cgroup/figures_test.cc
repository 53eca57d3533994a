#include "runtime/cgroup/figures.h"

#include <gtest/gtest.h>

namespace rt::cgroup {
namespace {

TEST(Figures, OfATableAreItsLinesOfANameAndANumber) {
  const Table expected = {{"anon", 18446744073709551615ULL}, {"file", 0}};
  EXPECT_EQ(parse_table("anon 18446744073709551615\nfile 0\nnew: 3 4\nodd x\n\n"), expected);
}

TEST(Figures, OfAListAreItsMembers) {
  EXPECT_EQ(parse_list("0-2,7,9-9"), (std::vector<uint16_t>{0, 1, 2, 7, 9}));
  EXPECT_TRUE(parse_list("").empty());
  EXPECT_TRUE(parse_list("5-3").empty());
  EXPECT_TRUE(parse_list("0-18446744073709551615,70000,x,1-,-1").empty());
}

TEST(Figures, OfPressureAreThoseOfBothLines) {
  const Pressure pressure = parse_pressure(
      "some avg10=0.07 avg60=12.34 avg300=100.00 total=5814782204\n"
      "full avg10=0.00 avg60=1.05 avg300=0.00 total=7");
  EXPECT_EQ(pressure.some.avg10, 0.07);
  EXPECT_EQ(pressure.some.avg60, 12.34);
  EXPECT_EQ(pressure.some.avg300, 100.0);
  EXPECT_EQ(pressure.some.total, 5814782204U);
  EXPECT_EQ(pressure.full.avg60, 1.05);
  EXPECT_EQ(pressure.full.total, 7U);
  EXPECT_EQ(parse_pressure("some avg10=x avg60 total=-1\nother"), Pressure());
}

TEST(Figures, OfBlockIoLeaveTheSumOut) {
  const std::vector<BlockIoEntry> expected = {
      {.major = 8, .minor = 16, .operation = "Read", .value = 4096},
      {.major = 8, .minor = 16, .operation = "Total", .value = 4096}};
  EXPECT_EQ(parse_block_io("8:16 Read 4096\n8:16 Total 4096\nTotal 4096"), expected);
  EXPECT_TRUE(parse_block_io("Total 0").empty());
  EXPECT_TRUE(parse_block_io("8: Read 1\n:0 Read 1\n8:0 Read\n8:0 Read x").empty());
}

TEST(Figures, OfIoStatAreBytesAndOperations) {
  const IoStat stat = parse_io_stat(
      "8:0 rbytes=10 wbytes=20 rios=3 wios=4 dbytes=5 dios=6 cost.usage=7\n253:1 \nloop rbytes=1");
  const std::vector<BlockIoEntry> bytes = {
      {.major = 8, .minor = 0, .operation = "Read", .value = 10},
      {.major = 8, .minor = 0, .operation = "Write", .value = 20}};
  const std::vector<BlockIoEntry> operations = {
      {.major = 8, .minor = 0, .operation = "Read", .value = 3},
      {.major = 8, .minor = 0, .operation = "Write", .value = 4}};
  EXPECT_EQ(stat.bytes, bytes);
  EXPECT_EQ(stat.operations, operations);
}

TEST(Figures, OfRdmaAreThoseOfEachDevice) {
  const std::map<std::string, Table> expected = {
      {"mlx4_0", {{"hca_handle", 2}, {"hca_object", kUnlimited}}},
      {"ocrdma1", {{"hca_handle", 3}}}};
  EXPECT_EQ(parse_rdma("mlx4_0 hca_handle=2 hca_object=max\nocrdma1 hca_handle=3\n"), expected);
}

}  // namespace
}  // namespace rt::cgroup
