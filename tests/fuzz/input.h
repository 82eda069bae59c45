// Reads what a fuzzer made as numbers, choices and strings. Past its end everything is 0 and empty.
#ifndef ZRS_TESTS_FUZZ_INPUT_H_
#define ZRS_TESTS_FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace zrs::fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool done() const { return rest_.empty(); }
  uint8_t Byte() {
    const absl::string_view one = Take(1);
    return one.empty() ? uint8_t{0} : static_cast<uint8_t>(one[0]);
  }
  // 0 to n - 1; n from 1 to 65536.
  size_t Below(size_t n) {
    const size_t high = n > 256 ? Byte() : 0;
    return (high << 8 | Byte()) % n;
  }
  bool Flip() { return (Byte() & 1) != 0; }
  uint64_t Number() {
    uint64_t number = 0;
    for (int i = 0; i < 8; ++i) number = number << 8 | Byte();
    return number;
  }
  // At most `most` bytes, so many as the next two bytes say.
  absl::string_view Bytes(size_t most) { return Take(Below(std::min<size_t>(most, 65535) + 1)); }
  absl::string_view Rest() { return Take(rest_.size()); }

 private:
  absl::string_view Take(size_t size) {
    const absl::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  absl::string_view rest_;
};

}  // namespace zrs::fuzz

#endif  // ZRS_TESTS_FUZZ_INPUT_H_
