// The one source of chance in a simulation: the same seed gives the same run, on every machine.
#ifndef ZRS_TESTS_SIMULATION_SEEDED_RANDOM_H_
#define ZRS_TESTS_SIMULATION_SEEDED_RANDOM_H_

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace zrs::simulation {

// splitmix64: the standard library's distributions differ between its implementations. Not thread-safe.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  // Uniform over all values.
  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

  // Uniform over [0, limit); `limit` is above 0.
  uint64_t Below(uint64_t limit) { return Next() % limit; }
  // Uniform over [low, high].
  uint64_t Between(uint64_t low, uint64_t high) { return low + Below(high - low + 1); }
  // True once in `many` times; never for 0.
  bool OneIn(uint64_t many) { return many != 0 && Below(many) == 0; }

  // Between `low` and `high`, to the microsecond.
  absl::Duration Delay(absl::Duration low, absl::Duration high) {
    const int64_t span = absl::ToInt64Microseconds(high - low);
    return low + absl::Microseconds(static_cast<int64_t>(Below(static_cast<uint64_t>(span) + 1)));
  }

  // `size` bytes that do not compress and hide no zeros.
  std::string Bytes(uint64_t size) {
    std::string bytes(size, '\0');
    for (uint64_t at = 0; at < size; at += 8) {
      uint64_t word = Next() | 0x0101010101010101;
      char eight[8];  // not by memcpy of the word, which other machines have the other way round
      for (char& byte : eight) {
        byte = static_cast<char>(word);
        word >>= 8;
      }
      std::copy_n(eight, std::min<uint64_t>(8, size - at), bytes.data() + at);
    }
    return bytes;
  }

 private:
  uint64_t state_;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_SEEDED_RANDOM_H_
