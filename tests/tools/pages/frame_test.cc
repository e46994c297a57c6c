#include "tools/pages/frame.h"

#include <string>

#include "gtest/gtest.h"

namespace sluice::pages {
namespace {

std::string rendered(const std::string& frame, const CLI::App* program = nullptr) {
  const auto page = render(frame, "page", program);
  EXPECT_TRUE(page) << base::to_string(page.error());
  return page ? *page : "";
}

TEST(Frame, KeysAreAListUpToTheNextSection) {
  EXPECT_EQ(rendered(".Sh A\n@block a\n@key k; number 1..2; 1\nText.\n@key l; path; none\n.Sh B\n"),
            ".Sh A\n.Bl -tag -width Ds\n"
            ".It Cm \"k\" : No \"number 1..2\" Pq \"default 1\"\nText.\n"
            ".It Cm \"l\" : No \"path\"\n.El\n.Sh B\n");
}

TEST(Frame, TellsWhatIsRequiredAndWhatFollowsFromElse) {
  EXPECT_EQ(rendered("@key k; name; required\n@key l; name; (the host name)\n"),
            ".Bl -tag -width Ds\n.It Cm \"k\" : No \"name\" Pq required\n"
            ".It Cm \"l\" : No \"name\" Pq \"default the host name\"\n.El\n");
}

TEST(Frame, QuotesWhatMdocWouldRead) {
  EXPECT_EQ(rendered("@key mode; octal; \"0660\"\n"),
            ".Bl -tag -width Ds\n"
            ".It Cm \"mode\" : No \"octal\" Pq \"default \\(dq0660\\(dq\"\n.El\n");
}

TEST(Frame, WrapsTextAndNothingElse) {
  const std::string words =
      "word word word word word word word word word word word word word word ";
  EXPECT_EQ(rendered(words + words + "end\n").find('\n'), 74U);
  EXPECT_EQ(rendered("." + words + words + "\n").find('\n'), 141U);
  const std::string literal = ".Bd -literal\n" + words + words + "\n.Ed\n";
  EXPECT_EQ(rendered(literal), literal);
}

TEST(Frame, RefusesWhatItDoesNotKnow) {
  const auto page = render(".Sh A\n@nonsense\n", "page", nullptr);
  ASSERT_FALSE(page);
  EXPECT_EQ(base::to_string(page.error()), "page:2: knows no @nonsense");
  EXPECT_FALSE(render("@options\n", "page", nullptr));  // of no program
  EXPECT_FALSE(render("@key k; path\n", "page", nullptr));
}

}  // namespace
}  // namespace sluice::pages
