#include "filestorage/announcement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "filestorage/format.h"
#include "tests/support/encode.h"

namespace zrs::filestorage {
namespace {

constexpr Tid kBefore = 0x040d315676cfcacc;

std::string First17(Tid tid, char status = kStatusComplete) {
  return tests::EncodeTransactionHeader({.tid = tid, .length = 0x1234, .status = status}).substr(0, kAnnouncementSize);
}

// 17 bytes of a file at `offset`, and what a crash makes of writes to them: each sector is old or new.
struct Header {
  uint64_t offset;
  std::string bytes;

  void Apply(const HeaderWrite& write) {
    bytes.replace(static_cast<size_t>(write.offset - offset), write.bytes.size(), write.bytes);
  }
  Header With(const HeaderWrite& write) const {
    Header changed = *this;
    changed.Apply(write);
    return changed;
  }
  size_t split() const { return static_cast<size_t>(std::min<uint64_t>(512 - offset % 512, kAnnouncementSize)); }
};

// Every outcome of a crash when the header was changed and never synced: each sector is that of one of `states`.
std::vector<std::string> Torn(const std::vector<Header>& states) {
  std::vector<std::string> torn;
  for (const Header& a : states) {
    for (const Header& b : states) torn.push_back(a.bytes.substr(0, a.split()) + b.bytes.substr(b.split()));
  }
  return torn;
}

// As ZODB takes it: neither in progress nor longer than any file.
bool ReadsAsCommitted(absl::string_view bytes) {
  const TransactionHeader header = DecodeTransactionHeader(std::string(bytes) + std::string(6, '\0'));
  return header.status != kStatusInProgress && header.length < uint64_t{1} << 56;
}

class AnnouncementTest : public testing::TestWithParam<Tid> {
 protected:
  // For each place within two sectors.
  void ForEachOffset(const std::function<void(uint64_t offset, const std::string& real)>& check) {
    for (const char status : {kStatusComplete, kStatusPacked, kStatusUndone}) {
      for (uint64_t offset = 4096; offset < 4096 + 1024 && !HasFailure(); ++offset) {
        SCOPED_TRACE(offset);
        check(offset, First17(GetParam(), status));
      }
    }
  }
};

// The tid before differs in the last bytes, in all of the lower half, in the upper half with a lower lower half.
INSTANTIATE_TEST_SUITE_P(Tid, AnnouncementTest,
                         testing::Values(kBefore + 0x11, 0x040d3156f0f0f0f0, 0x040d315801020304, 0x0500000000000000));

TEST_P(AnnouncementTest, ReadsAsUncommittedAndShowsTheTidBefore) {
  ForEachOffset([this](uint64_t offset, const std::string& real) {
    const HeaderWrite write = AnnouncementWrite(offset, real, kBefore);
    EXPECT_EQ(write.offset, offset);
    EXPECT_EQ(write.bytes.size(), kAnnouncementSize);
    EXPECT_FALSE(ReadsAsCommitted(write.bytes));
    EXPECT_EQ(DecodeUint64(write.bytes), kBefore);
    EXPECT_TRUE(IsAnnouncement(write.bytes));
    EXPECT_EQ(UnfinishedTurn(offset, write.bytes, kBefore, GetParam()), std::nullopt);
  });
}

TEST_P(AnnouncementTest, NoStepOfATurnReadsAsCommittedButWithAllRealBytes) {
  ForEachOffset([this](uint64_t offset, const std::string& real) {
    Header header{offset, AnnouncementWrite(offset, real, kBefore).bytes};
    const std::vector<HeaderWrite> writes = TurnWrites(offset, real);
    for (const HeaderWrite& write : writes) {
      for (const std::string& torn : Torn({header, header.With(write)})) {
        EXPECT_EQ(ReadsAsCommitted(torn), torn == real);
        EXPECT_TRUE(torn == real || IsAnnouncement(torn));
      }
      header.Apply(write);
    }
    EXPECT_EQ(header.bytes, real);
    EXPECT_EQ(writes.size(), offset % 512 <= 512 - kAnnouncementSize ? 1u : 2u);
  });
}

TEST_P(AnnouncementTest, ATidThatWasShownIsNotTakenBack) {
  ForEachOffset([this](uint64_t offset, const std::string& real) {
    Header header{offset, AnnouncementWrite(offset, real, kBefore).bytes};
    for (const HeaderWrite& write : TurnWrites(offset, real)) {
      for (const std::string& torn : Torn({header, header.With(write)})) {
        if (torn == real || DecodeUint64(torn) == kBefore) continue;
        EXPECT_EQ(UnfinishedTurn(offset, torn, kBefore, GetParam()), real);
        if (offset % 512 <= 512 - 8) {
          EXPECT_EQ(UnfinishedTurn(offset, torn, kBefore, std::nullopt), real);
        } else {
          EXPECT_EQ(UnfinishedTurn(offset, torn, kBefore, std::nullopt), std::nullopt);
          EXPECT_EQ(UnfinishedTurn(offset, torn, kBefore, GetParam() ^ 0x8000000000000080), std::nullopt);
        }
      }
      header.Apply(write);
    }
  });
}

TEST_P(AnnouncementTest, ATurnTakenBackReadsAsUncommittedOrIsWhole) {
  ForEachOffset([this](uint64_t offset, const std::string& real) {
    Header header{offset, AnnouncementWrite(offset, real, kBefore).bytes};
    for (const HeaderWrite& write : TurnWrites(offset, real)) {
      const Header turned = header.With(write);
      const Header back = turned.With(TurnBackWrite(offset, real, kBefore));
      for (const std::string& torn : Torn({header, turned, back})) {
        EXPECT_TRUE(torn == real || !ReadsAsCommitted(torn));
      }
      EXPECT_FALSE(ReadsAsCommitted(back.bytes));
      EXPECT_TRUE(IsAnnouncement(back.bytes));
      EXPECT_EQ(UnfinishedTurn(offset, back.bytes, kBefore, GetParam()), std::nullopt);
      header = turned;
    }
  });
}

TEST(AnnouncementForeignTest, ATransactionInItsOrdinaryFormIsNone) {
  EXPECT_FALSE(IsAnnouncement(First17(kBefore + 1)));
  EXPECT_FALSE(IsAnnouncement(First17(kBefore + 1, 'x')));
  EXPECT_TRUE(IsAnnouncement(First17(kBefore + 1, kStatusInProgress)));
  for (uint64_t offset = 0; offset < 512; ++offset) {
    EXPECT_EQ(UnfinishedTurn(offset, First17(kBefore + 1), kBefore, kBefore + 1), std::nullopt);
    EXPECT_EQ(UnfinishedTurn(offset, First17(kBefore + 1, kStatusInProgress), kBefore, kBefore + 1), std::nullopt);
  }
}

}  // namespace
}  // namespace zrs::filestorage
