#include "sidecar/cli/terminal/frame.h"

#include <gtest/gtest.h>

namespace zrs::cli {
namespace {

TEST(Frame, EachLineClearsWhatWasThereBefore) {
  EXPECT_EQ(Frame("one\n\ntwo\n", {.rows = 24, .columns = 80}), "\033[Hone\033[K\n\033[K\ntwo\033[K\n\033[J");
}

TEST(Frame, ALineForEachRowButTheCursors) {
  EXPECT_EQ(Frame("1\n2\n3\n", {.rows = 4, .columns = 80}), "\033[H1\033[K\n2\033[K\n3\033[K\n\033[J");
}

TEST(Frame, WhatDoesNotFitIsCounted) {
  EXPECT_EQ(Frame("1\n2\n3\n4\n5\n", {.rows = 4, .columns = 80}),
            "\033[H1\033[K\n2\033[K\n... 3 more lines: make the window higher\033[K\n\033[J");
}

TEST(Frame, AWindowOfOneRow) {
  EXPECT_EQ(Frame("1\n2\n", {.rows = 1, .columns = 80}),
            "\033[H... 2 more lines: make the window higher\033[K\n\033[J");
}

}  // namespace
}  // namespace zrs::cli
