#include "tests/simulation/adoption.h"

#include <utility>

namespace zrs::simulation {
namespace {

constexpr uint64_t kLongestAdoption = 40;  // in file operations: a crash comes before, or not at all

}  // namespace

void Adoption::Tell(v1::AdoptRequest::As as,
                    std::function<void(Node& primary, const absl::StatusOr<std::string>& answer)> done) {
  Node& primary = cluster_.primary();
  if (!primary.running() || (asked_ == &primary && life_ == primary.life())) return;
  asked_ = &primary;
  life_ = primary.life();
  SeededRandom& random = cluster_.random();
  if (!calm_ && random.OneIn(2)) {
    const bool host_too = random.OneIn(2);
    primary.CrashAtOperation(random.Between(1, kLongestAdoption), host_too);
  }
  primary.Adopt(as, [this, &primary, done = std::move(done)](const absl::StatusOr<std::string>& answer) {
    Forget();
    cluster_.log().Add(primary.name(), answer.ok() ? *answer : answer.status().ToString());
    primary.ForgetStatus();  // it is of before
    done(primary, answer);
  });
}

}  // namespace zrs::simulation
