// The generator of stories; it writes each token together with its probability.
#include "synthetic.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace normlab {
namespace {

std::vector<double> zipf_weights(Index count, double exponent) {
  std::vector<double> weights;
  for (Index rank = 1; rank <= count; ++rank) weights.push_back(std::pow(static_cast<double>(rank), -exponent));
  return weights;
}

// What a reader who knows the language believes about the hidden topic: the forward algorithm of a hidden Markov model
// (Rabiner 1989, section III.A), scaled so that the beliefs sum to 1.
class TopicBelief {
 public:
  TopicBelief(Index topics, double stays)
      : belief_(static_cast<std::size_t>(topics), 1.0 / static_cast<double>(topics)), stays_(stays) {}

  // A clause ends: the topic stays with probability `stays`, else each of the others is as likely.
  void move() {
    if (belief_.size() == 1) return;
    const double leaves = (1 - stays_) / static_cast<double>(belief_.size() - 1);
    for (double& b : belief_) b = stays_ * b + leaves * (1 - b);
  }

  // Takes in an observation whose probability under topic k is likelihood(k); returns its probability under the belief.
  template <class Likelihood>
  double observe(Likelihood likelihood) {
    double total = 0;
    for (std::size_t k = 0; k < belief_.size(); ++k) total += belief_[k] *= likelihood(static_cast<Index>(k));
    for (double& b : belief_) b /= total;
    return total;
  }

 private:
  std::vector<double> belief_;
  double stays_;
};

}  // namespace

Weighted::Weighted(std::vector<double> weights) : probability_(std::move(weights)) {
  const double total = std::accumulate(probability_.begin(), probability_.end(), 0.0);
  double sum = 0;
  for (double& p : probability_) cumulative_.push_back(sum += (p /= total));
}

Index Weighted::draw(Random& random) const {
  const auto place = std::upper_bound(cumulative_.begin(), cumulative_.end(), random.uniform());
  return std::min(static_cast<Index>(place - cumulative_.begin()), size() - 1);
}

StoryLanguage::StoryLanguage(const SyntheticOptions& options, std::uint64_t seed)
    : options_(options), articles_(zipf_weights(options.articles, options.zipf)) {
  Random random(seed, "data.language");
  const std::vector<double> by_rank = zipf_weights(options.nouns_per_article, options.zipf);
  for (Index i = 0; i < options.topics * options.articles; ++i) {
    std::vector<double> weights = by_rank;
    random.shuffle(std::span<double>(weights));
    nouns_.emplace_back(std::move(weights));
  }
}

Vocabulary StoryLanguage::vocabulary() const {
  std::vector<std::string> entries = {kEndOfLine};
  const auto add = [&](const char* kind, Index count) {
    for (Index i = 0; i < count; ++i) entries.push_back(text(kind, i));
  };
  add("open", options_.openers);
  add("close", options_.openers);
  add("article", options_.articles);
  add("name", options_.names);
  add("trait", options_.traits);
  add("verb", options_.names);
  for (Index a = 0; a < options_.articles; ++a) add(text("noun", a, ".").c_str(), options_.nouns_per_article);
  return Vocabulary(std::move(entries));
}

void StoryLanguage::tell(Random& random, std::vector<std::int32_t>& tokens, std::vector<double>& surprisal) const {
  const auto write = [&](std::int32_t token, double probability) {
    tokens.push_back(token);
    surprisal.push_back(-std::log(probability));
  };
  const auto chance_of = [](Index count) { return 1.0 / static_cast<double>(count); };

  struct Member {
    Index name, trait;
  };
  std::vector<Member> cast;
  const auto known = [&](Index name) {
    return std::any_of(cast.begin(), cast.end(), [&](const Member& member) { return member.name == name; });
  };

  // `chance` is the probability that the next phrase is what it is about to be.
  const auto write_mention = [&](double chance) {
    const auto members = static_cast<Index>(cast.size());
    const double newcomer = members == 0 ? 1 : members == options_.cast ? 0 : options_.newcomer;
    Member member{};
    if (random.uniform() < newcomer) {
      do member.name = random.below(options_.names);
      while (known(member.name));
      member.trait = random.below(options_.traits);
      write(name(member.name), chance * newcomer * chance_of(options_.names - members));
      write(trait(member.trait), chance_of(options_.traits));
      cast.push_back(member);
    } else {
      member = cast[static_cast<std::size_t>(random.below(members))];
      write(name(member.name), chance * (1 - newcomer) * chance_of(members));
      write(trait(member.trait), 1);
    }
    write(verb(member.name), 1);
  };

  TopicBelief belief(options_.topics, options_.topic_stays);
  Index topic = random.below(options_.topics);
  const auto write_noun_phrase = [&](double chance) {
    const Index a = articles_.draw(random);
    const Index n = nouns(topic, a).draw(random);
    write(article(a), chance * articles_[a]);
    write(noun(a, n), belief.observe([&](Index k) { return nouns(k, a)[n]; }));
  };

  for (Index clause = 0; clause < options_.clauses; ++clause) {
    if (clause > 0) {
      belief.move();
      if (options_.topics > 1 && random.uniform() >= options_.topic_stays) {
        topic = (topic + 1 + random.below(options_.topics - 1)) % options_.topics;
      }
    }
    const Index pair = random.below(options_.openers);
    write(opener(pair), chance_of(options_.openers));
    for (Index phrase = 0;; ++phrase) {
      const double closes = phrase == 0 ? 0 : phrase == options_.phrases ? 1 : options_.closes;
      if (random.uniform() < closes) {
        write(closer(pair), closes);
        break;
      }
      if (random.uniform() < options_.mention) {
        write_mention((1 - closes) * options_.mention);
      } else {
        write_noun_phrase((1 - closes) * (1 - options_.mention));
      }
    }
  }
  write(end_of_line(), 1);
}

SplitText StoryLanguage::text_of(Index least_tokens, Random random) const {
  SplitText split{{{}, end_of_line()}, {}};
  while (static_cast<Index>(split.stream.tokens.size()) < least_tokens) {
    tell(random, split.stream.tokens, split.surprisal);
  }
  return split;
}

void SyntheticOptions::fields(Fields& f) {
  const Range count{.at_least = 1, .at_most = 1e5};
  const Range few{.at_least = 1, .at_most = 100};
  const Range share{.at_least = 0, .at_most = 1};
  f.integer("train_tokens", train_tokens, {.at_least = 1, .at_most = 1e8},
            "training text: whole stories, at least this long");
  f.integer("valid_tokens", valid_tokens, {.at_least = 0, .at_most = 1e8}, "validation text; 0 for none");
  f.integer("test_tokens", test_tokens, {.at_least = 0, .at_most = 1e8}, "test text; 0 for none");
  f.integer("text_seed", text_seed, {.at_least = 0, .at_most = 9e15},
            "seed of the language and its text; 0 takes the data's seed, so that other seeds give other texts");
  f.integer("topics", topics, count, "hidden topics; each has its own order of nouns");
  f.real("topic_stays", topic_stays, share, "probability that the next clause keeps the topic");
  f.integer("articles", articles, count, "articles, and so classes of nouns");
  f.integer("nouns_per_article", nouns_per_article, count, "nouns of a class");
  f.real("zipf", zipf, {.at_least = 0, .at_most = 10}, "exponent of Zipf's law for articles and nouns");
  f.integer("names", names, count, "names, each with a verb of its own");
  f.integer("traits", traits, count, "traits a name may have in a story");
  f.integer("cast", cast, count, "most names of a story");
  f.real("mention", mention, share, "probability that a phrase is name, trait, verb; else it is article, noun");
  f.real("newcomer", newcomer, share, "probability that a mention is of a new name, while the cast is not full");
  f.integer("openers", openers, count, "openers, each with a closer of its own");
  f.integer("clauses", clauses, few, "clauses of a story");
  f.integer("phrases", phrases, few, "most phrases of a clause");
  f.real("closes", closes, share, "probability that a clause ends after each of its phrases");
  batching.fields(f, "batching", "how the text becomes batches; a story is a line");
  padding.fields(f);
  const std::int64_t most = 10'000'000;
  f.require(topics * articles <= most && topics * articles * nouns_per_article <= most, "topics",
            text("topics x articles x nouns_per_article must be at most ", most, ", got ", topics, " x ", articles,
                 " x ", nouns_per_article));
  f.require(cast <= names, "cast", text("must be at most the number of names ", names, ", got ", cast));
}

std::unique_ptr<LanguageData> SyntheticOptions::load_text(const std::string& /*directory*/, std::uint64_t seed) const {
  const std::uint64_t made_from = text_seed > 0 ? static_cast<std::uint64_t>(text_seed) : seed;
  const StoryLanguage language(*this, made_from);
  Corpus corpus{language.vocabulary(), {}, text("made-up stories of seed ", made_from)};
  const std::array<Index, 3> sizes = {train_tokens, valid_tokens, test_tokens};
  for (Split split : kSplits) {
    const auto i = static_cast<std::size_t>(split);
    corpus.splits[i] = language.text_of(sizes[i], Random(made_from, text("data.text.", name_of(split))));
  }
  return std::make_unique<CorpusData>(std::move(corpus), batching, seed, padding);
}

}  // namespace normlab
