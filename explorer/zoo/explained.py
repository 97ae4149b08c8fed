"""What each network, family and kind of block brought and how it works, in a few sentences; its papers are `Entry`'s.

The gallery's one line is `Entry.idea`; the layers' own explanations are `explorer.layers.explained`.
"""

from typing import NamedTuple

from explorer.zoo.catalogue import entries, entry


class BlockExplanation(NamedTuple):
    """A kind of block in a few sentences."""

    formula: str
    """What it computes, in plain text; `x` arrives and `y` leaves."""
    text: str
    """When it is used, and what to watch for."""
    source: str


class NetworkExplanation(NamedTuple):
    """A network of the catalogue in a few sentences."""

    text: str
    """What sets this form apart."""
    family: str
    """What its family brought and how it works."""


def network_explanation(network_id: str) -> NetworkExplanation:
    """The explanation of a network of the catalogue.

    Raises:
        ValueError: unknown; the message lists near matches.
    """
    family = entry(network_id).family
    return NetworkExplanation(_NETWORKS[network_id], _FAMILIES[family])


def family_explanation(family: str) -> str:
    """What a family brought and how it works.

    Raises:
        KeyError: no such family.
    """
    return _FAMILIES[family]


def block_explanation(kind: str) -> BlockExplanation | None:
    """The explanation of a kind of block; None for a kind that the user made up."""
    return _BLOCKS.get(kind)


def explained_kinds() -> tuple[str, ...]:
    """All kinds of blocks that are explained, sorted."""
    return tuple(sorted(_BLOCKS))


def network_titled(title: str) -> str | None:
    """The id of the network that is built under that name; None if the user named it otherwise."""
    return next((known.id for known in entries() if known.title == title), None)


_FAMILIES = {
    "LeNet": (
        "Grew from networks that read postal codes in 1989; LeNet-5 of 1998 read cheques, and set the pattern of later "
        "networks: convolution, subsampling, again both, then fully connected layers. Its kernels are learned together "
        "with the classifier, from pixels to digits, where features had been designed by hand before. Weights that are "
        "shared over the image and maps that shrink on the way make it less sensitive to small shifts."
    ),
    "AlexNet": (
        "Several of its kind together won the ImageNet challenge of 2012 by a wide margin and turned computer vision "
        "to deep learning. Five convolutions and three fully connected layers learn from 1.2 million photographs on "
        "two graphics cards. ReLU made that many layers trainable in days, dropout and altered copies of the images "
        "kept 60 million parameters from learning them by heart; overlapping pooling and response normalisation added "
        "a little each. Most weights lie in the first fully connected layer, most arithmetic in the convolutions."
    ),
    "ZFNet": (
        "Came from looking into AlexNet: feature maps were led back to pixels by a network of transposed convolutions, "
        "which shows what makes a unit respond. In AlexNet the pictures revealed first kernels for the coarsest and "
        "finest patterns with little between, and aliasing from the stride of 4. Kernels of 7×7 with a stride of 2 "
        "keep more detail and leave fewer kernels without use, and the error on ImageNet fell."
    ),
    "NiN": (
        "Puts a small network where a convolution has one linear kernel: two 1×1 convolutions with ReLU behind each "
        "larger one mix the channels at every pixel. Instead of fully connected layers the last convolution makes one "
        "map a class, and its average is the score. That needs no weights, overfits little, and shows where in the "
        "image a class was seen. Both ideas, 1×1 convolutions and global average pooling, are in most later networks."
    ),
    "GoogLeNet": (
        "Seven of them together won the ImageNet challenge of 2014, each with about a ninth of AlexNet's weights. Nine "
        "Inception blocks look at the maps with kernels of 1×1, 3×3 and 5×5 and with a pooling side by side, and put "
        "all results behind one another as channels. 1×1 convolutions thin the channels out before the larger kernels, "
        "which makes the width affordable. While training, two auxiliary classifiers are to bring gradients to the "
        "middle of the 22 layers."
    ),
    "Inception": (
        "Blocks that leave the choice of the kernel's size to the training: several sizes work side by side on the "
        "same maps. Later forms replace a 5×5 kernel by two of 3×3, and n×n by 1×n and n×1 in a row, which see as much "
        "for fewer multiplications. The channels are thinned by 1×1 convolutions first, and maps shrink by strided "
        "branches next to a pooling, so that no step has to squeeze everything through few values."
    ),
    "VGG": (
        "Asks what depth alone can do: nothing but 3×3 convolutions, a pooling after each stage, and twice the "
        "channels (up to 512) at half the size. Two 3×3 kernels see as much as one of 5×5 and three as much as one of "
        "7×7, with fewer weights and more activations between. It came second in classification and first in "
        "localisation in the ImageNet challenge of 2014; its plain features served detection, segmentation and style "
        "transfer for years. The price is some 138 million weights in the usual form, most of them in the first fully "
        "connected layer."
    ),
    "ResNet": (
        "Made depth trainable: a block of convolutions learns only what to add to its input, which a shortcut carries "
        "past it. Plain networks got worse beyond some twenty layers, even on the images they train with; with "
        "shortcuts deeper ones got better, and an ensemble of up to 152 layers won the ImageNet challenge of 2015. The "
        "maps start at a quarter of the image's size and halve three times, while channels double; a global average "
        "replaces the fully connected layers but the last. Almost every later network has such shortcuts."
    ),
    "ResNet for CIFAR": (
        "The experiment behind residual learning, on images of 32×32: three stages of n blocks with 16, 32 and 64 "
        "channels, 6n + 2 layers with weights in all. Beside each stands the same network without shortcuts, so that "
        "their effect can be measured alone: plain ones get worse with depth, residual ones better up to 110 layers. "
        "Shortcut A adds no weights, since it takes every second pixel and fills new channels with zeros; shortcut B "
        "projects with 1×1 convolutions."
    ),
    "DenseNet": (
        "Each layer of a dense block reads the maps of all layers before it and adds a few of its own, as many as "
        "the growth rate. Features are used again instead of being learned anew, so it needs fewer weights for the "
        "accuracy of a residual network, and every layer is close to the loss. A 1×1 convolution before each 3×3 "
        "bounds the arithmetic; transitions between blocks halve channels and size. Its many concatenations take "
        "memory while training."
    ),
    "SqueezeNet": (
        "Reaches AlexNet's accuracy with a fiftieth of the weights. Its fire modules squeeze the maps to a few "
        "channels with 1×1 convolutions before 1×1 and 3×3 kernels expand them side by side, so the 3×3 kernels have "
        "few channels to read. Maps are made smaller late, which keeps detail for accuracy, and a last convolution "
        "with global averaging replaces the fully connected layers."
    ),
    "MobileNet": (
        "Networks for telephones. A depthwise convolution filters each channel on its own and a 1×1 convolution "
        "mixes them, which takes a fraction of a full convolution's arithmetic. Inverted residuals widen a narrow "
        "input, filter it cheaply and narrow it again, with the shortcut between the narrow ends. The narrow end has "
        "no activation, because a ReLU loses information where there are few channels."
    ),
    "ShuffleNet": (
        "Starts from measured speed rather than counted operations: memory traffic and how well work runs in parallel "
        "matter as well. In each unit half of the channels pass untouched, the other half goes through a 1×1, a "
        "depthwise and another 1×1 convolution of equal width. Both are put together and shuffled, so that halves mix "
        "over the units. Equal widths, little grouping, few branches and few pointwise steps are its rules."
    ),
    "EfficientNet": (
        "Finds that depth, width and image size should grow together, each at its own fixed rate, instead of one "
        "alone. The smallest network, B0, comes from an automatic search for accuracy at a given cost; its blocks "
        "are inverted residuals with squeeze-and-excitation and SiLU. The larger ones follow from it by a single "
        "coefficient. On processors its depthwise convolutions are slower than the small number of multiplications "
        "promises."
    ),
    "ConvNeXt": (
        "Brings a ResNet step by step to what vision transformers do, and stays a convolutional network: it shows how "
        "much of their success lay in the recipe. Depthwise kernels of 7×7 take attention's place, followed by two 1×1 "
        "layers that widen fourfold and narrow again. One layer norm and one GELU a block stand in for batch norm and "
        "ReLU behind every convolution; layers of their own halve the maps, and the stem cuts the image into patches "
        "of 4×4. Layer scale steadies its training, stochastic depth keeps it from overfitting."
    ),
}

_NETWORKS = {
    "alexnet": (
        "The paper's own form: the second, fourth and fifth convolution work in two groups, as they were spread over "
        "two cards of 3 GB. It is drawn for 227×227, the size with which the paper's figures come out."
    ),
    "alexnet-28": (
        "Shrunk for 28×28, so that images need not be enlarged. With 2.5 million weights it trained eleven times as "
        "fast on Fashion-MNIST as the form for 224×224, and lost three to four points of accuracy."
    ),
    "alexnet-bn": (
        "Batch norm stands behind the poolings of the first two stages instead of response normalisation, and "
        "padding follows TensorFlow's rule, which may add one pixel more on one side. It has ten classes."
    ),
    "alexnet-d2l": (
        "Takes grey images and tells apart ten classes, for Fashion-MNIST enlarged to 224×224. Image size and the "
        "first padding differ from the paper's, so the flatten has 6,400 values and not 9,216."
    ),
    "alexnet-one-tower": (
        "All kernels read all channels, as one card can hold today. That adds more than half of the arithmetic "
        "again, and 1.4 million weights."
    ),
    "alexnet-torchvision": (
        "A slimmer single tower after Krizhevsky's of 2014: 64 kernels first, then 192, 384, 256 and 256. It has no "
        "response normalisation, and is the form whose trained weights torchvision has."
    ),
    "alexnet-two-towers": (
        "Figure 2 of the paper: each tower has half of the kernels, and they meet in front of the third convolution "
        "and of the fully connected layers. Response normalisation stays within a tower. Where there are two devices, "
        "each tower can train on one."
    ),
    "convnext-tiny": (
        "The smallest form: 3, 3, 9 and 3 blocks with 96, 192, 384 and 768 channels, about the arithmetic of "
        "ResNet-50. It needs its long recipe of augmentation to reach its accuracy."
    ),
    "densenet121": ("Dense blocks of 6, 12, 24 and 16 layers. Growth rate 32, the smallest form for ImageNet."),
    "densenet161": (
        "Dense blocks of 6, 12, 36 and 24 layers. Growth rate 48 and 96 first channels: the widest of the four, with "
        "the most weights."
    ),
    "densenet169": ("Dense blocks of 6, 12, 32 and 32 layers. Growth rate 32, deeper in the last two blocks."),
    "densenet201": (
        "Dense blocks of 6, 12, 48 and 32 layers. Growth rate 32; the deepest of the four, with fewer weights than "
        "ResNet-50."
    ),
    "efficientnet-b0": (
        "The searched base of the family at 224×224: 5.3 million weights and some 390 million multiplications. Where "
        "kernels are 3×3 and where 5×5 the search decided."
    ),
    "googlenet": (
        "The paper's network: biases, response normalisation in the stem, no batch norm. The auxiliary heads can be "
        "switched on; they nearly double its weights and are left out again after training."
    ),
    "googlenet-torchvision": (
        "Every convolution has batch norm and no bias, and the branch named 5×5 really has 3×3 kernels, an old slip "
        "which the trained weights have made permanent. It therefore has fewer weights than the paper's."
    ),
    "inception-a": (
        "Inception-v3's block of the 35×35 stage, as torchvision has it: 1×1, 5×5, two 3×3 in a row, and an average "
        "pooling with a projection. Each convolution carries batch norm and ReLU."
    ),
    "inception-compared": (
        "Both blocks behind one input. The table shows their parameters and multiplications line by line."
    ),
    "inception-naive": (
        "One block without 1×1 reductions: all kernels read every channel, and the pooling hands on all of its "
        "channels. Put it beside the reduced block to see the cost."
    ),
    "inception-reduced": (
        "One block with the widths of stage 3a: the 3×3 and 5×5 kernels read what 1×1 convolutions left, and one more "
        "thins out the pooling's branch. Height and width stay, and the arithmetic is less than half of the naive "
        "block's."
    ),
    "inception-v3": (
        "The whole network for 299×299, with five kinds of blocks for three sizes of maps. On the 17×17 maps kernels "
        "of 7×7 are taken apart into 1×7 and 7×1. The paper also brought label smoothing, which trains towards "
        "slightly softened targets."
    ),
    "lenet-plain": (
        "Leaves out the activations, so that only the max pooling is not linear. Two fully connected layers behind "
        "one another then do no more than one. Train it beside the form with tanh to see what bends are worth."
    ),
    "lenet5": (
        "A form that courses teach: average pooling of 2×2, tanh, and full connections between all maps. It has 61,706 "
        "parameters, four fifths of them in the layer of 120 units. At an input of 32×32 the last pooling leaves 16 "
        "maps of 5×5."
    ),
    "lenet5-1998": (
        "As printed in the paper: its subsampling learns a factor and an offset a channel, its third layer joins each "
        "map with three, four or all of the six before it, and the activation is a scaled tanh. The output compares 84 "
        "values with drawings of the digits. Up to those 84 values it has 60,000 trained parameters."
    ),
    "lenet5-max": (
        "Keeps the strongest response of each window instead of averaging. It returns its scores and their softmax "
        "side by side; only the scores belong in the cross-entropy loss."
    ),
    "lenet5-max-colour": (
        "Reads three colours. Only the kernels of the first convolution grow, by 300 weights, while its arithmetic "
        "triples."
    ),
    "lenet5-relu-dropout": (
        "Combines LeNet's shape with what AlexNet made usual: ReLU in place of tanh, and dropout between the fully "
        "connected layers. A good start for Fashion-MNIST at 28×28."
    ),
    "lenet5-tanh84": (
        "Ends at the layer of 84 units and takes a softmax over it, as one of the course texts prints it. It tells "
        "apart 84 classes where the original goes on to ten. It is useful for comparing a text summary line by line."
    ),
    "mobilenet-v2": (
        "Seventeen inverted residuals, most with a sixfold expansion, at 300 million multiplications. ReLU6 keeps "
        "values in a range that few bits can hold."
    ),
    "mobilenet-v3-large": (
        "Found by a search for speed on a telephone, then trimmed by hand at both ends. Some blocks have "
        "squeeze-and-excitation, and the later ones use Hardswish."
    ),
    "mobilenet-v3-small": (
        "Searched separately for the tightest budgets: about a quarter of the large form's arithmetic. Nearly every "
        "block weighs its channels."
    ),
    "nin": (
        "The authors' form for ImageNet, which the paper does not print: kernels of 11×11, 5×5 and 3×3, each followed "
        "by two 1×1 convolutions, and a thousand last maps. Dropout before the last stage regularises it."
    ),
    "nin-cifar": (
        "Three stages for images of 32×32 with about a million weights. The paper reports 8.8 percent error on "
        "CIFAR-10 with augmentation, the lowest then."
    ),
    "plain110": (
        "Eighteen blocks in each stage without any shortcut. The paper reports an error of more than 60 percent for it."
    ),
    "plain20": ("Three blocks in each stage without any shortcut. At this depth shortcuts hardly matter yet."),
    "plain32": (
        "Five blocks in each stage without any shortcut. Training and test errors begin to rise against 20 layers."
    ),
    "plain44": (
        "Seven blocks in each stage without any shortcut. The training error is higher than that of shallower ones, "
        "so overfitting is not the reason."
    ),
    "plain56": (
        "Nine blocks in each stage without any shortcut. The paper's first figure: worse than 20 layers on training "
        "images too."
    ),
    "resnet101": ("Grows the third stage to 23 bottlenecks. Often the backbone of detectors."),
    "resnet110": (
        "Eighteen residual blocks in each of the three stages, with shortcuts that have no weights. The paper started "
        "it with a tenth of the learning rate, since the full one was slightly too large to begin with."
    ),
    "resnet110-b": (
        "Eighteen residual blocks in each stage, with a 1×1 convolution on the two shortcuts where size and channels "
        "change. It has slightly more weights than form A, and the paper, which compares the two on ImageNet, saw "
        "small differences."
    ),
    "resnet152": (
        "Three, eight, thirty-six and three bottlenecks. In spite of its depth it takes fewer multiplications than "
        "VGG-16."
    ),
    "resnet18": (
        "Two basic blocks a stage, of two 3×3 convolutions each. The smallest of the paper's networks for ImageNet, on "
        "a par with the plain one of 18 layers in accuracy but quicker to learn."
    ),
    "resnet20": (
        "Three residual blocks in each of the three stages, with shortcuts that have no weights. The smallest of the "
        "experiment, with 0.27 million weights."
    ),
    "resnet20-b": (
        "Three residual blocks in each stage, with a 1×1 convolution on the two shortcuts where size and channels "
        "change. It has slightly more weights than form A, and the paper, which compares the two on ImageNet, saw "
        "small differences."
    ),
    "resnet32": (
        "Five residual blocks in each of the three stages, with shortcuts that have no weights. More accurate than "
        "the one of 20 layers, as it should be."
    ),
    "resnet32-b": (
        "Five residual blocks in each stage, with a 1×1 convolution on the two shortcuts where size and channels "
        "change. It has slightly more weights than form A, and the paper, which compares the two on ImageNet, saw "
        "small differences."
    ),
    "resnet34": (
        "Three, four, six and three basic blocks. Twice the arithmetic of ResNet-18 and some points more of accuracy."
    ),
    "resnet44": (
        "Seven residual blocks in each of the three stages, with shortcuts that have no weights. It gains a little "
        "more over 32 layers."
    ),
    "resnet44-b": (
        "Seven residual blocks in each stage, with a 1×1 convolution on the two shortcuts where size and channels "
        "change. It has slightly more weights than form A, and the paper, which compares the two on ImageNet, saw "
        "small differences."
    ),
    "resnet50": (
        "Bottlenecks in ResNet-34's pattern: 1×1 down to a quarter, 3×3, 1×1 up again. The yardstick that most later "
        "papers compare with; as in torchvision, the stride lies on the 3×3 convolution."
    ),
    "resnet56": (
        "Nine residual blocks in each of the three stages, with shortcuts that have no weights. Compare it with the "
        "plain network of the same depth, which falls behind that of 20 layers."
    ),
    "resnet56-b": (
        "Nine residual blocks in each stage, with a 1×1 convolution on the two shortcuts where size and channels "
        "change. It has slightly more weights than form A, and the paper, which compares the two on ImageNet, saw "
        "small differences."
    ),
    "shufflenet-v2-0-5": (
        "Stages of 48, 96 and 192 channels. About 40 million multiplications, for the weakest processors."
    ),
    "shufflenet-v2-1-0": (
        "Stages of 116, 232 and 464 channels. About 145 million multiplications; the widths of the others are measured "
        "by it."
    ),
    "shufflenet-v2-1-5": (
        "Stages of 176, 352 and 704 channels. About 300 million multiplications, as many as MobileNetV2."
    ),
    "shufflenet-v2-2-0": (
        "Stages of 244, 488 and 976 channels. About 590 million multiplications; the last convolution doubles to "
        "2,048 channels."
    ),
    "squeezenet1-0": (
        "The paper's form with a first kernel of 7×7 and 96 channels. Eight fire modules, poolings after the first "
        "convolution, the third and the seventh of them."
    ),
    "squeezenet1-1": (
        "The authors' later form: 64 first kernels of 3×3 and earlier poolings. Less than half the arithmetic at the "
        "same accuracy."
    ),
    "vgg11": (
        "One convolution in the first two stages and two in the others. It is the shallowest of the family and was "
        "the start from which deeper ones were initialised."
    ),
    "vgg11-bn": (
        "One convolution in the first two stages and two in the others, each with batch norm behind it. That trains "
        "from random weights without careful starts; the extra scales and shifts are hardly any weights beside the "
        "others."
    ),
    "vgg13": (
        "Two convolutions in each of the five stages. The two that VGG-11 lacks stand in the first two stages, where "
        "maps are largest."
    ),
    "vgg13-bn": (
        "Two convolutions in each of the five stages, each with batch norm behind it. That trains from random "
        "weights without careful starts; the extra scales and shifts are hardly any weights beside the others."
    ),
    "vgg16": (
        "Two convolutions in the first two stages and three in the others. The form that much later work built on: "
        "thirteen convolutions and three fully connected layers."
    ),
    "vgg16-bn": (
        "Two convolutions in the first two stages and three in the others, each with batch norm behind it. That "
        "trains from random weights without careful starts; the extra scales and shifts are hardly any weights "
        "beside the others."
    ),
    "vgg19": (
        "Two convolutions in the first two stages and four in the others. At this depth the error stopped falling in "
        "the paper."
    ),
    "vgg19-bn": (
        "Two convolutions in the first two stages and four in the others, each with batch norm behind it. That "
        "trains from random weights without careful starts; the extra scales and shifts are hardly any weights "
        "beside the others."
    ),
    "zfnet": (
        "AlexNet's shape with a finer first stage: 96 kernels of 7×7 at a stride of 2, then 256 of 5×5. It runs in "
        "one tower."
    ),
}

_BLOCKS = {
    "residual block": BlockExplanation(
        "y = ReLU(F(x) + S(x)), F: 3×3, norm, ReLU, 3×3, norm; S: x itself, or its projection",
        "Lets a network be deep: the convolutions learn a correction, and the shortcut carries values and gradients "
        "past them. Where the stride or the channels change, the shortcut has to change in the same way. The ReLU "
        "comes after the addition, not before it.",
        "He, Zhang, Ren and Sun 2015, Deep residual learning for image recognition, section 3.2",
    ),
    "bottleneck": BlockExplanation(
        "y = ReLU(F(x) + S(x)), F: 1×1 down, 3×3, 1×1 up to four times the width, norms and ReLUs between",
        "The residual block of the deeper ResNets: the 3×3 convolution works on few channels, and the 1×1 ones lead "
        "down to them and back. Its output has four times the width, which the next block reads. Memory goes to the "
        "wide maps; the 3×3 convolution has over half of the arithmetic.",
        "He, Zhang, Ren and Sun 2015, Deep residual learning for image recognition, figure 5",
    ),
    "plain block": BlockExplanation(
        "y = ReLU(norm(3×3(ReLU(norm(3×3(x))))))",
        "A residual block without its shortcut, to measure what the shortcut brings. Stacks of many such blocks "
        "train badly, on the training images too.",
        "He, Zhang, Ren and Sun 2015, Deep residual learning for image recognition, section 4.2",
    ),
    "projection": BlockExplanation(
        "S(x) = norm(1×1(x)), with the branch's stride",
        "Stands on a shortcut where the branch changes channels or size, so that both can be added. It reads what "
        "enters the block, never what the branch has made.",
        "He, Zhang, Ren and Sun 2015, Deep residual learning for image recognition, section 3.3",
    ),
    "shortcut": BlockExplanation(
        "S(x) = every second pixel of x with channels of zeros added; or norm(1×1(x))",
        "Leads the input past a block to the addition. The first form has no weights and adds empty channels; the "
        "second learns a projection. Shape and stride must equal the branch's.",
        "He, Zhang, Ren and Sun 2015, Deep residual learning for image recognition, section 3.3",
    ),
    "stage": BlockExplanation(
        "blocks one behind another on maps of one size",
        "Networks are told by their stages: the first block changes size and channels, the others keep both. More "
        "blocks make it deeper without touching the neighbours.",
        "He, Zhang, Ren and Sun 2015, Deep residual learning for image recognition, table 1",
    ),
    "Inception": BlockExplanation(
        "y = concat(1×1(x), 3×3(1×1(x)), 5×5(1×1(x)), 1×1(pool(x)))",
        "Sees details of several sizes at once and leaves it to the training which to use. The 1×1 convolutions "
        "before the larger kernels are what makes it affordable; the channels that leave are the sum of the four "
        "branches. All branches must keep the size.",
        "Szegedy et al. 2014, Going deeper with convolutions, figure 2(b)",
    ),
    "naive Inception": BlockExplanation(
        "y = concat(1×1(x), 3×3(x), 5×5(x), pool(x))",
        "The idea before it was made cheap: each kernel reads all channels, and the pooling adds as many as arrive. "
        "Stacked, channels and cost grow from block to block.",
        "Szegedy et al. 2014, Going deeper with convolutions, figure 2(a)",
    ),
    "Inception-A": BlockExplanation(
        "y = concat(1×1, 1×1→5×5, 1×1→3×3→3×3, pool→1×1)",
        "Works on the 35×35 maps of Inception-v3. Two 3×3 kernels in a row see what one 5×5 sees; torchvision's form, "
        "which this is, has a 5×5 in the branch where the paper's figure has a single 3×3. Its output has 224 channels "
        "and those behind the pooling.",
        "Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2015, Rethinking the Inception architecture for computer "
        "vision, figure 5",
    ),
    "Inception-B": BlockExplanation(
        "y = concat(3×3 stride 2, 1×1→3×3→3×3 stride 2, max pool stride 2)",
        "Halves the size of the maps in three ways at once. Pooling alone would lose information, and convolving "
        "first and pooling then would be dear.",
        "Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2015, Rethinking the Inception architecture for computer "
        "vision, section 5",
    ),
    "Inception-C": BlockExplanation(
        "y = concat(1×1, 1×1→1×7→7×1, 1×1→7×1→1×7→7×1→1×7, pool→1×1)",
        "Takes 7×7 kernels apart into rows and columns, for a fraction of the arithmetic. It pays on maps of middle "
        "size, of 12 to 20 pixels.",
        "Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2015, Rethinking the Inception architecture for computer "
        "vision, figure 6",
    ),
    "Inception-D": BlockExplanation(
        "y = concat(1×1→3×3 stride 2, 1×1→1×7→7×1→3×3 stride 2, max pool stride 2)",
        "Leads from the middle to the smallest maps, again by strided branches beside a pooling. The 7×7 kernel, taken "
        "apart, looks far before the stride throws places away.",
        "Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2015, Rethinking the Inception architecture for computer "
        "vision, section 5",
    ),
    "Inception-E": BlockExplanation(
        "y = concat(1×1, 1×1→(1×3, 3×1), 1×1→3×3→(1×3, 3×1), pool→1×1)",
        "Spreads branches out instead of deepening them, on the smallest maps, where many different features are "
        "wanted before the classifier. It makes 2,048 channels.",
        "Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2015, Rethinking the Inception architecture for computer "
        "vision, figure 7",
    ),
    "branch": BlockExplanation(
        "one way from what enters the block to where the ways meet",
        "Branches read the same maps and are joined afterwards. For a concatenation their sizes must agree, for an "
        "addition their channels too.",
        "Szegedy et al. 2014, Going deeper with convolutions, figure 2",
    ),
    "convolution unit": BlockExplanation(
        "y = activation(norm(conv(x)))",
        "The unit of most networks since 2015. The convolution has no bias, since the normalisation would take it "
        "out again and adds a shift of its own. Call eval() for testing, so that running averages are used.",
        "Ioffe and Szegedy 2015, Batch normalization: accelerating deep network training, section 3.2",
    ),
    "VGG stage": BlockExplanation(
        "y = pool(ReLU(3×3(… ReLU(3×3(x)))))",
        "Small kernels in a row see as far as a large one, with fewer weights and more bends. The pooling halves the "
        "size, and channels double from stage to stage. Without batch norm, many stages need care with initial "
        "weights.",
        "Simonyan and Zisserman 2014, Very deep convolutional networks for large-scale image recognition, table 1",
    ),
    "dense block": BlockExplanation(
        "x(l) = H([x(0), x(1), …, x(l − 1)]): each layer reads all maps before it",
        "Features are handed on to every later layer, which adds a few channels. After n layers the channels are "
        "those that arrived and n times the growth rate. The long concatenations take memory while training.",
        "Huang, Liu, van der Maaten and Weinberger 2016, Densely connected convolutional networks, section 3",
    ),
    "dense layer": BlockExplanation(
        "H = norm, ReLU, 1×1 to 4 times the growth rate, norm, ReLU, 3×3 to the growth rate",
        "Normalises before it convolves, since each layer reads the same maps in another scale. The 1×1 convolution "
        "bounds the arithmetic of the 3×3 one, however many channels arrive.",
        "Huang, Liu, van der Maaten and Weinberger 2016, Densely connected convolutional networks, section 3",
    ),
    "transition": BlockExplanation(
        "y = avgpool 2×2(1×1(ReLU(norm(x))))",
        "Between dense blocks: the 1×1 convolution keeps a share of the channels, usually half, and the pooling "
        "halves the size. Without it channels would grow without bound.",
        "Huang, Liu, van der Maaten and Weinberger 2016, Densely connected convolutional networks, section 3",
    ),
    "fire": BlockExplanation(
        "s = ReLU(1×1(x)); y = concat(ReLU(1×1(s)), ReLU(3×3(s)))",
        "Saves weights: the 3×3 kernels read only the few squeezed channels. Too narrow a squeeze loses information; "
        "the paper takes an eighth of the channels that leave.",
        "Iandola et al. 2016, SqueezeNet, sections 3 and 5",
    ),
    "inverted residual": BlockExplanation(
        "y = x + 1×1 narrow(dw(1×1 wide(x))), without activation at the end",
        "Widens, filters each channel alone, and narrows again; the shortcut joins the narrow ends, which need "
        "little memory. There is a shortcut only where stride is 1 and channels stay. An activation after the last "
        "convolution would lose information.",
        "Sandler, Howard, Zhu, Zhmoginov and Chen 2018, MobileNetV2, section 3",
    ),
    "squeeze-and-excitation": BlockExplanation(
        "y[c] = x[c] · σ(W₂ · act(W₁ · mean(x)))[c]",
        "Looks at the averages of all channels and decides how much each one counts, for hardly any arithmetic. It "
        "stands in a branch, before the addition. A smaller reduction costs more weights; factors near 0 switch a "
        "channel off.",
        "Hu, Shen and Sun 2017, Squeeze-and-excitation networks, section 3",
    ),
    "shuffle unit": BlockExplanation(
        "y = shuffle(concat(x₁, branch(x₂)))",
        "Half of the channels pass, half are filtered; the shuffle lets them change places for the next unit. In "
        "units that halve the size both branches convolve and read all channels. Channels must be even.",
        "Ma, Zhang, Zheng and Sun 2018, ShuffleNet V2, figure 3",
    ),
    "mlpconv": BlockExplanation(
        "y = ReLU(1×1(ReLU(1×1(ReLU(k×k(x))))))",
        "A little network at every place: the 1×1 convolutions mix channels and bend again. It costs less than a "
        "second large kernel and sees no further.",
        "Lin, Chen and Yan 2013, Network in network, section 3.1",
    ),
    "ConvNeXt block": BlockExplanation(
        "y = x + γ · 1×1(GELU(1×1 fourfold(norm(dw 7×7(x)))))",
        "A large depthwise kernel gathers from the neighbourhood, two wide 1×1 layers mix channels, with one norm "
        "and one activation in all. Layer scale starts it as nearly the identity. Depthwise kernels are slower than "
        "their few multiplications suggest.",
        "Liu, Mao, Wu, Feichtenhofer, Darrell and Xie 2022, A ConvNet for the 2020s, section 2",
    ),
    "stem": BlockExplanation(
        "y = norm(4×4 stride 4(x))",
        "Cuts the image into patches that do not overlap, as vision transformers do. Maps start at a quarter of the "
        "image's size, so sizes should be multiples of 32 for all stages to come out even.",
        "Liu, Mao, Wu, Feichtenhofer, Darrell and Xie 2022, A ConvNet for the 2020s, section 2.2",
    ),
    "downsampling": BlockExplanation(
        "y = 2×2 stride 2(norm(x))",
        "Stands between stages, apart from the blocks, and halves the size. The normalisation before it keeps "
        "training steady.",
        "Liu, Mao, Wu, Feichtenhofer, Darrell and Xie 2022, A ConvNet for the 2020s, section 2.6",
    ),
    "convolution and pooling": BlockExplanation(
        "y = pool(activation(conv(x)))",
        "Finds patterns, then forgets exactly where they were. Two of them are LeNet's feature extractor. Each "
        "shrinks the maps, so a small image bears only a few.",
        "LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition, section II.B",
    ),
    "auxiliary head": BlockExplanation(
        "scores = linear(ReLU(linear(1×1(pool(x))))), or without the first linear layer",
        "A second classifier in the middle of a network, whose loss is added with a small weight while training and "
        "which is left out afterwards. It was to bring gradients to the early layers; the authors later found that it "
        "hardly speeds up the start, and rather regularises. It is an output of its own.",
        "Szegedy et al. 2014, Going deeper with convolutions, section 5; Szegedy, Vanhoucke, Ioffe, Shlens and Wojna "
        "2015, Rethinking the Inception architecture for computer vision, section 4",
    ),
    "features": BlockExplanation(
        "maps = all convolutions and poolings, from the image to the last maps",
        "The part that is reused for other tasks: trained on one data set, it can be frozen while a new classifier "
        "learns. It takes most of the arithmetic.",
        "Krizhevsky, Sutskever and Hinton 2012, ImageNet classification with deep convolutional neural networks, "
        "figure 2",
    ),
    "classifier": BlockExplanation(
        "scores = the last layers, from the maps to one score a class",
        "Turns maps into scores, which go into the cross-entropy loss without a softmax. For another number of "
        "classes only its last layer is exchanged. Fully connected ones hold many weights and bind the image size.",
        "Krizhevsky, Sutskever and Hinton 2012, ImageNet classification with deep convolutional neural networks, "
        "figure 2",
    ),
}
