// The made-up language: its probabilities against brute force, its grammar, its entropy as a floor.
#include "data/synthetic.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "data/ngram.h"
#include "tests/data/files.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

using Ids = std::vector<std::int32_t>;

SyntheticOptions tiny_options() {
  SyntheticOptions options;
  options.topics = options.articles = options.nouns_per_article = 2;
  options.names = 3;
  options.traits = options.cast = options.openers = options.clauses = options.phrases = 2;
  return options;
}

// Every story of a language and its probability, by trying all choices, hidden topics included, one after the other.
class AllStories {
 public:
  AllStories(const StoryLanguage& language, const SyntheticOptions& options) : language_(language), o_(options) {
    for (Index topic = 0; topic < o_.topics; ++topic) clause({}, {}, 0, topic, 1.0 / static_cast<double>(o_.topics));
  }
  std::map<Ids, double> probability;         // of whole stories
  std::map<Ids, double> prefix_probability;  // of their beginnings, the whole included

 private:
  using Cast = std::map<Index, Index>;  // name to trait

  static Ids with(Ids tokens, Ids more) {
    tokens.insert(tokens.end(), more.begin(), more.end());
    return tokens;
  }

  void clause(const Ids& story, const Cast& cast, Index number, Index topic, double p) {
    if (number == o_.clauses) {
      const Ids whole = with(story, {language_.end_of_line()});
      probability[whole] += p;
      for (auto end = whole.begin(); end != whole.end(); ++end) prefix_probability[Ids(whole.begin(), end + 1)] += p;
      return;
    }
    for (Index pair = 0; pair < o_.openers; ++pair) {
      phrase(with(story, {language_.opener(pair)}), cast, number, topic, pair, 0, p / static_cast<double>(o_.openers));
    }
  }

  void phrase(const Ids& story, const Cast& cast, Index number, Index topic, Index pair, Index phrases, double p) {
    const double closes = phrases == 0 ? 0 : phrases == o_.phrases ? 1 : o_.closes;
    if (closes > 0) {
      const Ids closed = with(story, {language_.closer(pair)});
      if (number + 1 == o_.clauses) {
        clause(closed, cast, number + 1, topic, p * closes);
      } else {
        for (Index next = 0; next < o_.topics; ++next) {
          const double move =
              next == topic ? o_.topic_stays : (1 - o_.topic_stays) / static_cast<double>(o_.topics - 1);
          clause(closed, cast, number + 1, next, p * closes * move);
        }
      }
    }
    if (closes == 1) return;
    const double goes_on = p * (1 - closes);
    for (Index a = 0; a < o_.articles; ++a) {
      for (Index n = 0; n < o_.nouns_per_article; ++n) {
        phrase(with(story, {language_.article(a), language_.noun(a, n)}), cast, number, topic, pair, phrases + 1,
               goes_on * (1 - o_.mention) * language_.articles()[a] * language_.nouns(topic, a)[n]);
      }
    }
    const auto members = static_cast<Index>(cast.size()), strangers = o_.names - members;
    const double newcomer = members == 0 ? 1 : members == o_.cast ? 0 : o_.newcomer;
    for (Index n = 0; n < o_.names; ++n) {
      if (cast.count(n)) {
        phrase(with(story, {language_.name(n), language_.trait(cast.at(n)), language_.verb(n)}), cast, number, topic,
               pair, phrases + 1, goes_on * o_.mention * (1 - newcomer) / static_cast<double>(members));
      } else if (newcomer > 0) {
        for (Index t = 0; t < o_.traits; ++t) {
          Cast larger = cast;
          larger[n] = t;
          phrase(with(story, {language_.name(n), language_.trait(t), language_.verb(n)}), larger, number, topic, pair,
                 phrases + 1, goes_on * o_.mention * newcomer / static_cast<double>(strangers * o_.traits));
        }
      }
    }
  }

  const StoryLanguage& language_;
  SyntheticOptions o_;
};

// The first language whose two topics differ in every noun's probability; in the others topics hardly matter.
StoryLanguage language_with_topics_apart(const SyntheticOptions& options) {
  for (std::uint64_t seed = 1;; ++seed) {
    const StoryLanguage language(options, seed);
    bool apart = true;
    for (Index a = 0; a < options.articles; ++a) {
      apart = apart && language.nouns(0, a)[0] != language.nouns(1, a)[0];
    }
    if (apart) return language;
  }
}

}  // namespace

TEST_CASE("each token's surprisal is what trying all stories gives") {
  const SyntheticOptions options = tiny_options();
  const StoryLanguage language = language_with_topics_apart(options);
  const AllStories all(language, options);
  double total = 0, entropy = 0, second_moment = 0;
  for (const auto& [story, p] : all.probability) {
    total += p;
    entropy -= p * std::log(p);
    second_moment += p * std::log(p) * std::log(p);
  }
  REQUIRE(total == Approx(1).epsilon(1e-12));

  Random random(5, "stories");
  const int stories = 4000;
  double sum = 0;
  for (int i = 0; i < stories; ++i) {
    Ids story;
    std::vector<double> surprisal;
    language.tell(random, story, surprisal);
    REQUIRE(story.size() == surprisal.size());
    double before = 1, worst = 0;
    for (std::size_t t = 0; t < story.size(); ++t) {
      const double now = all.prefix_probability.at(Ids(story.begin(), story.begin() + static_cast<Index>(t) + 1));
      worst = worse(worst, std::abs(surprisal[t] + std::log(now / before)));
      sum += surprisal[t];
      before = now;
    }
    REQUIRE(worst < 1e-10);
  }
  // The stories drawn follow these probabilities: their mean surprisal is the entropy, within four standard errors.
  const double standard_error = std::sqrt((second_moment - entropy * entropy) / stories);
  CHECK(std::abs(sum / stories - entropy) < 4 * standard_error);
}

TEST_CASE("stories keep the grammar") {
  SyntheticOptions options;
  options.zipf = 0;  // so that every noun turns up
  const StoryLanguage language(options, 1);
  Random random(1, "stories");
  std::set<std::int32_t> used;
  for (int i = 0; i < 500; ++i) {
    Ids story;
    std::vector<double> surprisal;
    language.tell(random, story, surprisal);
    used.insert(story.begin(), story.end());
    std::size_t t = 0;
    std::map<std::int32_t, std::int32_t> traits;
    for (Index clause = 0; clause < options.clauses; ++clause) {
      const Index pair = story.at(t++) - language.opener(0);
      REQUIRE((pair >= 0 && pair < options.openers));
      Index phrases = 0;
      while (story.at(t) != language.closer(pair)) {
        ++phrases;
        if (story.at(t) < language.name(0)) {
          const Index a = story.at(t) - language.article(0);
          REQUIRE((a >= 0 && a < options.articles));
          REQUIRE((story.at(t + 1) >= language.noun(a, 0) && story.at(t + 1) < language.noun(a + 1, 0)));
          t += 2;
        } else {
          const auto known = traits.emplace(story.at(t), story.at(t + 1)).first;
          REQUIRE(known->second == story.at(t + 1));
          REQUIRE(story.at(t + 2) - language.verb(0) == story.at(t) - language.name(0));
          t += 3;
        }
      }
      REQUIRE((phrases >= 1 && phrases <= options.phrases));
      ++t;
    }
    REQUIRE(static_cast<Index>(traits.size()) <= options.cast);
    REQUIRE(story.at(t) == language.end_of_line());
    REQUIRE(t + 1 == story.size());
  }
  CHECK(static_cast<Index>(used.size()) == language.vocabulary().size());
}

TEST_CASE("the same seed gives the same text to the bit, another seed or split another") {
  const SyntheticOptions options;
  const auto text_of = [&](std::uint64_t seed, const char* stream) {
    return StoryLanguage(options, seed).text_of(5000, Random(seed, stream));
  };
  const SplitText one = text_of(1, "data.text.train"), again = text_of(1, "data.text.train");
  CHECK(one.stream.tokens == again.stream.tokens);
  CHECK(one.surprisal == again.surprisal);
  CHECK(one.stream.tokens != text_of(2, "data.text.train").stream.tokens);
  CHECK(one.stream.tokens != text_of(1, "data.text.valid").stream.tokens);
  CHECK(one.stream.tokens.size() >= 5000);
  CHECK(one.stream.tokens.back() == 0);
}

TEST_CASE("made-up data knows its entropy, and n-grams stay above it") {
  SyntheticOptions options;
  options.train_tokens = 100000;
  options.test_tokens = 0;
  const auto data = options.load_text("", 1);
  CHECK(data->evaluation_batches(Split::test) == 0);
  CHECK(!data->entropy(Split::test));
  CHECK(data->longest_sequence() <= options.clauses * (3 * options.phrases + 2) + 1);

  const Corpus& corpus = dynamic_cast<const CorpusData&>(*data).corpus();
  double sum = 0;
  for (double s : corpus[Split::valid].surprisal) sum += s;
  const double mean = sum / static_cast<double>(corpus[Split::valid].surprisal.size());
  REQUIRE(data->entropy(Split::valid));
  CHECK(*data->entropy(Split::valid) == Approx(mean).epsilon(1e-12));  // as sentences, every token is predicted

  const NgramPerplexity perplexity = ngram_perplexity(*data, Split::valid);
  CHECK(perplexity.tokens == static_cast<Index>(corpus[Split::valid].stream.tokens.size()));
  CHECK(perplexity.bigram < 0.9 * perplexity.unigram);
  CHECK(std::exp(*data->entropy(Split::valid)) < 0.5 * perplexity.bigram);
}

TEST_CASE("continuous batches leave the first token out of the entropy") {
  SyntheticOptions options;
  options.train_tokens = options.valid_tokens = 5000;
  options.batching.set("continuous");
  const auto data = options.load_text("", 1);
  const Corpus& corpus = dynamic_cast<const CorpusData&>(*data).corpus();
  const auto& surprisal = corpus[Split::valid].surprisal;
  double sum = 0;
  for (std::size_t t = 1; t < surprisal.size(); ++t) sum += surprisal[t];
  CHECK(*data->entropy(Split::valid) == Approx(sum / static_cast<double>(surprisal.size() - 1)).epsilon(1e-12));
}

TEST_CASE("text_seed holds the text while the seed changes the order") {
  SyntheticOptions options;
  options.train_tokens = 20000;
  options.text_seed = 9;
  const auto one = options.load_text("", 1), two = options.load_text("", 2);
  CHECK(one->entropy(Split::train) == two->entropy(Split::train));
  CHECK(one->training_batch(0).targets.size() > 0);
  const auto targets = [](const Batch& batch) {
    const auto span = batch.targets.values<std::int32_t>();
    return Ids(span.begin(), span.end());
  };
  CHECK(targets(one->training_batch(0)) != targets(two->training_batch(0)));
  options.text_seed = 0;
  CHECK(options.load_text("", 1)->entropy(Split::train) != options.load_text("", 2)->entropy(Split::train));
}
