// Any bytes behind the magic, in any pieces: the scanner says the same of them as in one piece, and never takes what is
// not there.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "filestorage/scanner.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/one_input.h"

namespace zrs::fuzz {
namespace {

using filestorage::FirstBoundary;
using filestorage::Magic;
using filestorage::Scanner;
using filestorage::ScanResult;

void ScanOnce(Input input) {
  const Magic magic = input.Flip() ? Magic::kFs21 : Magic::kFs30;
  const size_t piece = 1 + input.Below(200);
  const bool pass_over = input.Flip();
  const absl::string_view bytes = input.Rest();

  Scanner whole(magic, FirstBoundary(magic));
  const ScanResult at_once = whole.Feed(bytes);
  Scanner pieces(magic, FirstBoundary(magic));
  ScanResult result = pieces.Feed({});
  for (size_t done = 0; done < bytes.size() && result.outcome == filestorage::ScanOutcome::kMore;) {
    const size_t skip = static_cast<size_t>(std::min<uint64_t>(pieces.skippable(), bytes.size() - done));
    if (pass_over && skip > 0) {
      pieces.PassOver(skip);
      done += skip;
      result = pieces.Feed({});
    } else {
      result = pieces.Feed(bytes.substr(done, piece));
      done += std::min(piece, bytes.size() - done);
    }
  }
  EXPECT_EQ(result.outcome, at_once.outcome);
  EXPECT_EQ(result.position, at_once.position);
  EXPECT_EQ(result.reason, at_once.reason);
  EXPECT_EQ(pieces.last().offset, whole.last().offset);
  if (!pass_over) {
    EXPECT_EQ(pieces.last(), whole.last());
  }
  EXPECT_LE(whole.last().offset, filestorage::kMagicSize + bytes.size());
  EXPECT_LE(whole.last().last_offset, whole.last().offset);
}

}  // namespace
}  // namespace zrs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  zrs::fuzz::ScanOnce(zrs::fuzz::Input(data, size));
  return 0;
}
