#include "sidecar/monitoring/health_board.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace zrs::monitoring {
namespace {

using Told = std::vector<std::pair<std::string, bool>>;

HealthBoard::Target Into(Told& told) {
  return [&told](const std::string& service, bool serving) { told.emplace_back(service, serving); };
}

TEST(HealthBoard, TellsEveryTargetEachChange) {
  HealthBoard board;
  Told first;
  Told second;
  board.Attach(Into(first));
  board.Attach(Into(second));
  board.Set("main", false);
  board.Set("main", true);
  EXPECT_EQ(first, (Told{{"zrs.storage.main", false}, {"zrs.storage.main", true}}));
  EXPECT_EQ(second, first);
}

TEST(HealthBoard, TellsALateTargetWhatIsSo) {
  HealthBoard board;
  board.Set("a", true);
  board.Set("b", true);
  board.Set("b", false);
  Told told;
  board.Attach(Into(told));
  EXPECT_EQ(told, (Told{{"zrs.storage.a", true}, {"zrs.storage.b", false}}));
}

TEST(HealthBoard, ForgetsItsTargets) {
  HealthBoard board;
  Told told;
  board.Attach(Into(told));
  board.Clear();
  board.Set("a", true);
  EXPECT_TRUE(told.empty());
}

}  // namespace
}  // namespace zrs::monitoring
