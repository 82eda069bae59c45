// A publisher whose answers to hellos are looked at.
#ifndef ZRS_TESTS_SIDECAR_REPLICATION_HANDSHAKE_TEST_FIXTURE_H_
#define ZRS_TESTS_SIDECAR_REPLICATION_HANDSHAKE_TEST_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "sidecar/replication/handshake.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/support/file_builder.h"

namespace zrs::replication {

class HandshakeTest : public ::testing::Test {
 protected:
  HandshakeTest() {
    file_.AddMany(5, 20);
    publication_ = PublicationOf(file_);
  }

  HandshakeDecision Decide(const v1::Hello& hello) const { return DecideHandshake(publication_, hello); }

  DecideRebuild Rebuild(const v1::Hello& hello) {
    const HandshakeDecision decision = Decide(hello);
    const auto* rebuild = std::get_if<DecideRebuild>(&decision);
    EXPECT_NE(rebuild, nullptr);
    return rebuild == nullptr ? DecideRebuild{} : *rebuild;
  }

  v1::End Refusal(const v1::Hello& hello) const {
    const HandshakeDecision decision = Decide(hello);
    const auto* refuse = std::get_if<DecideRefuse>(&decision);
    EXPECT_NE(refuse, nullptr) << "not refused";
    return refuse == nullptr ? v1::End() : refuse->end;
  }

  void ExpectMalformed(const v1::Hello& hello, const std::string& what) const {
    const v1::End end = Refusal(hello);
    EXPECT_EQ(end.reason(), v1::End::REASON_PROTOCOL) << end.message();
    EXPECT_NE(end.message().find(what), std::string::npos) << end.message();
    EXPECT_FALSE(end.remedy().empty());
  }

  filestorage::Boundary At(size_t transaction) const { return file_.boundaries()[transaction]; }

  tests::FileBuilder file_;
  Publication publication_;
};

}  // namespace zrs::replication

#endif  // ZRS_TESTS_SIDECAR_REPLICATION_HANDSHAKE_TEST_FIXTURE_H_
