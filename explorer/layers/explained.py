"""What each layer type computes, when it is used and what to watch for, by type name; menus' one line is `summary`."""

from typing import NamedTuple


class LayerExplanation(NamedTuple):
    """A layer type in a few sentences."""

    formula: str
    """What it computes, in plain text; `x` arrives and `y` leaves."""
    text: str
    """Two to four sentences: when it is used, and what to watch for."""
    source: str
    """The paper, or torch's documentation."""


def explanation(type_name: str) -> LayerExplanation:
    """The explanation of a registered layer type.

    Raises:
        KeyError: no such type.
    """
    return _EXPLAINED[type_name]


def explained_types() -> frozenset[str]:
    """The names of all types that are explained."""
    return frozenset(_EXPLAINED)


_EXPLAINED = {
    "Input": LayerExplanation(
        "y = the images, (N, C, H, W)",
        "Every network starts here: it fixes how many channels and pixels an image has, and all other sizes follow. "
        "Networks without a fixed flatten take any size that is large enough for their windows. Values should be "
        "normalised as those that the weights were trained on.",
        "The convention of torch.nn.Conv2d: batch, channels, height, width",
    ),
    "Conv2d": LayerExplanation(
        "y[o, i, j] = b[o] + Σ w[o, c, u, v] · x[c, s·i + d·u − p, s·j + d·v − p]; out = ⌊(H + 2p − d·(k − 1) − "
        "1)/s⌋ + 1",
        "The workhorse of vision: the same small kernel looks at every place, so a pattern is found wherever it "
        "lies, and few weights serve many pixels. A padding of (k − 1)/2 keeps the size of odd kernels at stride 1, "
        "a stride of 2 halves it. With groups equal to the channels each is filtered alone (depthwise). A bias is "
        "wasted where batch norm follows, which subtracts it again.",
        "LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition, section II; "
        "arithmetic: Dumoulin and Visin 2016, A guide to convolution arithmetic",
    ),
    "ConvTranspose2d": LayerExplanation(
        "each x[c, i, j] adds w[c, o, u, v] · x[c, i, j] to y[o, s·i + d·u − p, s·j + d·v − p]; out = (H − 1)·s − 2p "
        "+ d·(k − 1) + output_padding + 1",
        "Enlarges maps with learned weights, in decoders, segmentation and generators; it has the shape of a "
        "convolution's gradient, and does not undo one. Where the kernel is no multiple of the stride, pixels are "
        "painted unequally often and a checkerboard shows; upsampling followed by a convolution avoids that.",
        "Dumoulin and Visin 2016, A guide to convolution arithmetic, chapter 4; Odena, Dumoulin and Olah 2016, "
        "Deconvolution and checkerboard artifacts",
    ),
    "PartialConv2d": LayerExplanation(
        "y[o] = b[o] + Σ w[o, c] ∗ x[c], over the channels c that the table joins with o",
        "LeNet-5's third layer: each of its 16 maps sees between three and all six maps before it, which breaks the "
        "symmetry between them and saves arithmetic. Today channels are thinned out with groups instead, which "
        "processors like better; here the kernels that are left out are filled in with zeros, so the arithmetic is "
        "not saved in time.",
        "LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition, section "
        "II.B and table I",
    ),
    "MaxPool2d": LayerExplanation(
        "y[c, i, j] = max over the window of x[c, s·i + d·u − p, s·j + d·v − p]",
        "Makes maps smaller and lets small shifts pass unnoticed: what counts is that a pattern was found nearby. "
        "Only the place of the maximum gets a gradient. Padding counts as minus infinity and may be half of the "
        "kernel at most; windows larger than the stride overlap, as in AlexNet.",
        "documentation of torch.nn.MaxPool2d; Krizhevsky, Sutskever and Hinton 2012, section 3.4",
    ),
    "AvgPool2d": LayerExplanation(
        "y[c, i, j] = (1 / window's pixels) · Σ x[c, s·i + u − p, s·j + v − p]",
        "A gentler way to shrink maps than the maximum: every pixel has its say and its share of the gradient. "
        "DenseNet's transitions use it. With padding, count_include_pad decides whether the added zeros are counted, "
        "which darkens the border if so.",
        "documentation of torch.nn.AvgPool2d",
    ),
    "AdaptiveAvgPool2d": LayerExplanation(
        "y[c, i, j] = mean of rows ⌊i·H/out⌋ to ⌈(i + 1)·H/out⌉ and columns likewise",
        "Leads maps of any size to a fixed one, so that one classifier serves many image sizes; with an output of 1 "
        "it is global average pooling. Where the input is no multiple of the output, windows differ in size and "
        "overlap; where it is smaller, pixels are used more than once.",
        "Lin, Chen and Yan 2013, Network in network, section 3.2; documentation of torch.nn.AdaptiveAvgPool2d",
    ),
    "AdaptiveMaxPool2d": LayerExplanation(
        "y[c, i, j] = max of rows ⌊i·H/out⌋ to ⌈(i + 1)·H/out⌉ and columns likewise",
        "As the adaptive average, but only the strongest response of each part counts: good for asking whether "
        "something is in the picture at all. A single noisy pixel can decide, and only it gets the gradient.",
        "documentation of torch.nn.AdaptiveMaxPool2d",
    ),
    "Mean": LayerExplanation(
        "y = (1 / n) · Σ x over the n values along the dimensions",
        "Over height and width it is global average pooling, written as an operator; classifiers and "
        "squeeze-and-excitation start so. With keepdim the dimensions stay as ones, which a later multiplication "
        "with the maps needs.",
        "documentation of torch.mean",
    ),
    "Sum": LayerExplanation(
        "y = Σ x along the dimensions",
        "Counts rather than averages: what is found twice counts twice. The result grows with the image, so a "
        "network that was trained on one size answers differently on another; take the mean where that matters.",
        "documentation of torch.sum",
    ),
    "LPPool2d": LayerExplanation(
        "y = (Σ x^p over the window)^(1/p)",
        "Lies between the sum of a window and its maximum; p of 2 measures energy. Meant for values that are not "
        "negative: put it behind a ReLU, since odd powers of negative values cancel others. Where the sum is zero, "
        "torch sets the gradient to zero.",
        "documentation of torch.nn.LPPool2d",
    ),
    "Subsampling": LayerExplanation(
        "y[c] = w[c] · Σ x[c] over the window + b[c]",
        "LeNet-5's pooling, with two trained numbers a channel: how strongly the sum counts, and from where. With a "
        "small factor the tanh that follows stays nearly linear and the layer blurs; with a large one it acts like a "
        "switch. Later networks dropped the two numbers, which a following convolution can take over.",
        "LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition, section II.B",
    ),
    "ReLU": LayerExplanation(
        "y = max(0, x)",
        "The usual choice: cheap, and its slope of one for positive values lets gradients through many layers. A unit "
        "whose values are negative for every image gets no gradient and seldom recovers; too high a learning rate "
        "makes such dead units. Weights are best initialised for it (He et al. 2015).",
        "Nair and Hinton 2010, Rectified linear units improve restricted Boltzmann machines",
    ),
    "GELU": LayerExplanation(
        "y = x · Φ(x), Φ being the normal distribution's cumulative function",
        "A smooth relative of ReLU that lets slightly negative values pass a little; transformers and ConvNeXt use "
        "it. The tanh form is an approximation, and weights trained with one form give slightly other outputs with "
        "the other.",
        "Hendrycks and Gimpel 2016, Gaussian error linear units",
    ),
    "SiLU": LayerExplanation(
        "y = x · 1 / (1 + e^(−x))",
        "Smooth, and not monotonic: it dips to about −0.28 near x = −1.28. EfficientNet and many detectors use it, "
        "also under the name swish. It costs an exponential a value; Hardswish is the cheap stand-in.",
        "Elfwing, Uchibe and Doya 2017, Sigmoid-weighted linear units; Ramachandran, Zoph and Le 2017, Searching for "
        "activation functions",
    ),
    "LeakyReLU": LayerExplanation(
        "y = x where x ≥ 0, else negative_slope · x",
        "Keeps a small gradient for negative values, so that units do not die; common in the discriminators of "
        "generative adversarial networks and in detectors. The gain over ReLU is often small. A slope of 1 makes it "
        "the identity, and a network linear.",
        "Maas, Hannun and Ng 2013, Rectifier nonlinearities improve neural network acoustic models",
    ),
    "Sigmoid": LayerExplanation(
        "y = 1 / (1 + e^(−x))",
        "For gates and for independent yes-or-no scores: squeeze-and-excitation weighs channels with it. Between "
        "layers it is a poor choice, since its slope is 0.25 at most and nearly nothing away from zero, so that "
        "gradients vanish with depth. Leave it out before a loss that has it built in (BCEWithLogitsLoss).",
        "documentation of torch.nn.Sigmoid",
    ),
    "Tanh": LayerExplanation(
        "y = (e^x − e^(−x)) / (e^x + e^(−x))",
        "The classical activation, centred on zero and therefore better behaved than the sigmoid between layers; LeNet "
        "grew up with it. Beyond about ±3 it is flat, and hardly any gradient comes through: keep inputs normalised "
        "and initial weights small.",
        "LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition, appendix A",
    ),
    "Softmax": LayerExplanation(
        "y[i] = e^x[i] / Σ e^x[k]",
        "Reads scores as probabilities, at the end of a classifier or inside attention. Cross-entropy in torch "
        "expects the scores themselves: a softmax before it is applied twice and slows learning. Adding the same "
        "number to all scores changes nothing.",
        "documentation of torch.nn.Softmax",
    ),
    "LogSoftmax": LayerExplanation(
        "y[i] = x[i] − ln Σ e^x[k]",
        "The logarithm of softmax in one numerically safe step; together with NLLLoss it equals cross-entropy on the "
        "scores. Cross-entropy after it changes nothing, since its own log-softmax leaves logarithms of "
        "probabilities as they are. Exponentiate to read probabilities.",
        "documentation of torch.nn.LogSoftmax",
    ),
    "ReLU6": LayerExplanation(
        "y = min(max(0, x), 6)",
        "A ReLU with a lid, made for arithmetic with few bits, where a known range wastes none of them; MobileNetV2 "
        "uses it throughout. Values above 6 pass no gradient, as those below 0.",
        "Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10; Sandler et al. 2018, MobileNetV2",
    ),
    "Hardswish": LayerExplanation(
        "y = x · min(max(0, x + 3), 6) / 6",
        "Stands in for SiLU without an exponential, which counts on telephones: a parabola between −3 and 3, exactly 0 "
        "below and exactly x above. MobileNetV3 uses it in its first convolution and in its later layers, where maps "
        "are small and it costs least.",
        "Howard et al. 2019, Searching for MobileNetV3, section 5.2",
    ),
    "Hardsigmoid": LayerExplanation(
        "y = min(max(0, x + 3), 6) / 6",
        "A gate without an exponential: MobileNetV3 weighs channels with it. Beyond ±3 it is flat, so a gate that is "
        "fully open or closed gets no gradient any more.",
        "Howard et al. 2019, Searching for MobileNetV3, section 5.2",
    ),
    "PReLU": LayerExplanation(
        "y = x where x ≥ 0, else a · x, with a learned",
        "Learns how much of the negative side to keep, one slope for all channels or one for each. It costs hardly "
        "any parameters. Leave its slopes out of weight decay, which would pull them towards a plain ReLU.",
        "He, Zhang, Ren and Sun 2015, Delving deep into rectifiers",
    ),
    "ELU": LayerExplanation(
        "y = x where x > 0, else alpha · (e^x − 1)",
        "Negative values level off softly, so that outputs average nearer to zero and learning goes faster without "
        "normalisation. It costs an exponential; behind batch norm there is little left to gain.",
        "Clevert, Unterthiner and Hochreiter 2015, Fast and accurate deep network learning by ELUs",
    ),
    "SELU": LayerExplanation(
        "y = 1.0507 · (x where x > 0, else 1.6733 · (e^x − 1))",
        "Its two constants are chosen so that mean 0 and variance 1 renew themselves from layer to layer, without "
        "any normalisation. That holds for weights of variance one over the fan-in, and with alpha dropout in place "
        "of the plain one; batch norm makes it pointless.",
        "Klambauer, Unterthiner, Mayr and Hochreiter 2017, Self-normalizing neural networks",
    ),
    "Mish": LayerExplanation(
        "y = x · tanh(ln(1 + e^x))",
        "A smooth activation with a small dip below zero, known from the YOLOv4 detector. It is among the dearest to "
        "compute, and in most networks SiLU does as well.",
        "Misra 2019, Mish: a self regularized non-monotonic activation function",
    ),
    "ScaledTanh": LayerExplanation(
        "y = amplitude · tanh(slope · x)",
        "With the usual 1.7159 and 2/3 it maps ±1 to ±1, where it bends most: targets of ±1 can be reached without "
        "driving units into the flat ends. It belongs to LeNet-5; elsewhere a plain tanh or ReLU is used.",
        "LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition, appendix A",
    ),
    "BatchNorm2d": LayerExplanation(
        "y = γ[c] · (x − mean[c]) / √(var[c] + eps) + β[c], mean and var over N, H and W",
        "Behind almost every convolution since 2015: higher learning rates and deep networks train with it. While "
        "training it uses the batch's own statistics, in evaluation running averages, so call eval() before testing. "
        "Batches of a few images make the statistics noisy; GroupNorm does not mind. The layer before needs no bias.",
        "Ioffe and Szegedy 2015, Batch normalization: accelerating deep network training",
    ),
    "BatchNorm1d": LayerExplanation(
        "y = γ[f] · (x − mean[f]) / √(var[f] + eps) + β[f], mean and var over the batch",
        "Batch norm for features behind a flatten or fully connected layer. While training it needs at least two "
        "images in a batch, since one alone has no variance; a last batch of one fails. In evaluation the running "
        "averages take over.",
        "Ioffe and Szegedy 2015, Batch normalization: accelerating deep network training",
    ),
    "GroupNorm": LayerExplanation(
        "y = γ[c] · (x − mean[g]) / √(var[g] + eps) + β[c], over the channels and pixels of a group g in one image",
        "Normalises each image by itself, so it is the same in training and evaluation and works with batches of "
        "one: detection and segmentation use it. num_groups must divide the channels; 32 is the paper's choice.",
        "Wu and He 2018, Group normalization",
    ),
    "InstanceNorm2d": LayerExplanation(
        "y = (x − mean[c]) / √(var[c] + eps), over H and W of one image",
        "Takes contrast and brightness out of each channel of each image, which style transfer wants and a "
        "classifier may miss. Maps need more than one pixel while training, for the variance. Unlike batch norm it "
        "learns no scale and keeps no averages unless told to.",
        "Ulyanov, Vedaldi and Lempitsky 2016, Instance normalization",
    ),
    "LayerNorm": LayerExplanation(
        "y = γ · (x − mean) / √(var + eps) + β, over the last dimensions of one image",
        "The normalisation of transformers: independent of the batch, equal in training and evaluation. γ and β have "
        "a value for every place of the normalised dimensions, so over maps C×H×W it is tied to their size; "
        "LayerNorm2d is the form for channels alone.",
        "Ba, Kiros and Hinton 2016, Layer normalization",
    ),
    "LayerNorm2d": LayerExplanation(
        "y[c, i, j] = γ[c] · (x[c, i, j] − mean[i, j]) / √(var[i, j] + eps) + β[c], over the channels of a pixel",
        "ConvNeXt's normalisation: a layer norm at each pixel, so that any image size works. It costs a "
        "rearrangement of the maps' memory. Behind a single channel everything becomes β.",
        "Liu et al. 2022, A ConvNet for the 2020s",
    ),
    "LayerScale": LayerExplanation(
        "y[c] = γ[c] · x[c]",
        "Stands at the end of a residual branch and starts close to zero (10⁻⁶ in ConvNeXt), so that a deep network "
        "begins as nearly the identity and lets the branches in as they learn. Shallow networks can start from larger "
        "values; it makes no sense where no shortcut runs beside it.",
        "Touvron et al. 2021, Going deeper with image transformers, section 2",
    ),
    "LocalResponseNorm": LayerExplanation(
        "y[c] = x[c] / (k + alpha/size · Σ x[c']²)^beta, over the size channels around c",
        "Makes neighbouring channels compete at each pixel; AlexNet and GoogLeNet have it, and VGG found that it does "
        "not help there. Batch norm has taken its place. torch divides alpha by size, the paper of AlexNet does not, "
        "so the same alpha means less here.",
        "Krizhevsky, Sutskever and Hinton 2012, section 3.3; documentation of torch.nn.LocalResponseNorm",
    ),
    "Dropout": LayerExplanation(
        "training: y = m · x / (1 − p), each m is 0 with probability p and else 1; evaluation: y = x",
        "Works against overfitting, above all between large fully connected layers: no unit can rely on any other. "
        "The scaling keeps the expected value, so nothing changes for evaluation, if eval() is called. Directly "
        "before batch norm it disturbs the statistics; between convolutions Dropout2d suits better.",
        "Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, Dropout",
    ),
    "Dropout2d": LayerExplanation(
        "training: y[c] = m[c] · x[c] / (1 − p), each m[c] is 0 with probability p and else 1; evaluation: y = x",
        "Drops whole maps, since neighbouring pixels say much the same and single ones would hardly be missed. Use "
        "smaller p than between fully connected layers. It needs eval() for testing, as Dropout does.",
        "Tompson, Goroshin, Jain, LeCun and Bregler 2015, Efficient object localization, section 3.2",
    ),
    "StochasticDepth": LayerExplanation(
        "training: y = m · x / (1 − p), one m for an image (row) or for the whole batch; evaluation: y = x",
        "Stands at the end of a residual branch, before the addition: while training the block is skipped now and "
        "then, so the network is shallower on average and does not overfit as much. Usually p grows with depth. "
        "Without a shortcut beside it the image's values are simply lost.",
        "Huang, Sun, Liu, Sedra and Weinberger 2016, Deep networks with stochastic depth",
    ),
    "Linear": LayerExplanation(
        "y = W · x + b; parameters: in_features · out_features + out_features",
        "The classifier's layer: each output sees everything. Behind large maps it holds most of a network's "
        "weights, as in AlexNet and VGG, which global average pooling avoids. It acts on the last dimension, so maps "
        "are flattened before it; two of them without an activation between are no more than one.",
        "documentation of torch.nn.Linear",
    ),
    "RadialBasis": LayerExplanation(
        "y[i] = −Σ (x[j] − pattern[i, j])²",
        "LeNet-5's output: the 84 values are compared with a drawing of each character, so that confusable "
        "characters have similar codes. The patterns are fixed and nothing is trained here. It needs values of about "
        "±1, and the largest score, the least distance, wins; fully connected outputs are what is used today.",
        "LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition, section II.B",
    ),
    "Flatten": LayerExplanation(
        "(C, H, W) → (C · H · W,), row by row, channel after channel",
        "Leads from maps to fully connected layers; no value changes and nothing is copied. What follows has weights "
        "for every place, so the image size is fixed from here on; an adaptive pooling before it lifts that.",
        "documentation of torch.nn.Flatten",
    ),
    "Pad": LayerExplanation(
        "out = H + top + bottom, W + left + right; what is added is a constant, a mirror image, the edge, or the "
        "other side",
        "For padding that a convolution cannot express: unequal sides, mirrored borders, extra channels filled with "
        "zeros as in the parameter-free shortcut of CIFAR ResNets. Zeros make a visible edge which kernels notice. "
        "Reflection must be smaller than the map.",
        "documentation of torch.nn.functional.pad",
    ),
    "Slice": LayerExplanation(
        "y = x[start:stop:step] along one dimension",
        "Picks channels, rows or columns, for crops and for subsampling without any arithmetic. It is a view: no "
        "memory is copied. What is left out gets no gradient from here.",
        "documentation of torch.Tensor, indexing",
    ),
    "Chunk": LayerExplanation(
        "y = piece number index of x, cut into equal pieces along dim",
        "Splits channels between branches: ShuffleNetV2 lets one half pass and works on the other. Each piece that "
        "is used is a node of its own. Where the size is no multiple of the number, the last piece is smaller, and "
        "there may be fewer.",
        "documentation of torch.chunk; Ma, Zhang, Zheng and Sun 2018, ShuffleNet V2",
    ),
    "Split": LayerExplanation(
        "y = piece number index of x, cut into pieces of the given sizes along dim",
        "As Chunk, with pieces of unequal sizes: so many channels for this branch, so many for that. The sizes must "
        "add up to the dimension, and have to follow when the layer before changes its channels.",
        "documentation of torch.split",
    ),
    "Reshape": LayerExplanation(
        "(C, H, W) → the given sizes, of the same product, values in the same order",
        "Groups dimensions or takes them apart, as the channel shuffle does before its permutation. Values are only "
        "read in another rhythm: to exchange dimensions use Permute, a reshape would scramble the picture.",
        "documentation of torch.reshape",
    ),
    "Permute": LayerExplanation(
        "y[i, j, k] = x in another order of dimensions, such as (C, H, W) → (H, W, C)",
        "Brings channels last for a layer norm or a fully connected layer at each pixel, and back again. It costs "
        "nothing by itself, but what follows may have to copy, and layers that expect channels first must not stand "
        "behind it.",
        "documentation of torch.permute",
    ),
    "ChannelShuffle": LayerExplanation(
        "channel g · (C/groups) + i moves to i · groups + g",
        "Behind grouped convolutions, so that the next one reads from every group; without it, groups would never "
        "learn of each other. It has no weights and costs only the moving of memory. groups must divide the "
        "channels.",
        "Zhang, Zhou, Lin and Sun 2017, ShuffleNet, section 3.1",
    ),
    "PixelShuffle": LayerExplanation(
        "(C · r², H, W) → (C, r · H, r · W)",
        "Enlarges images at the end of super-resolution networks: all convolutions work at low resolution, which is "
        "cheap, and the last one makes r² channels for each that is wanted. The channels must be a multiple of r².",
        "Shi et al. 2016, Real-time single image and video super-resolution, section 3.2",
    ),
    "Upsample": LayerExplanation(
        "y[c, i, j] = x[c] read at (i/scale, j/scale), from the nearest pixel or mixed from its neighbours",
        "Enlarges maps in decoders and feature pyramids without learned weights; a convolution behind it sharpens, "
        "without the checkerboard of transposed convolutions. align_corners decides whether the corners' centres are "
        "kept: frameworks differ, and a network should be run as it was trained.",
        "documentation of torch.nn.Upsample",
    ),
    "Add": LayerExplanation(
        "y = x₁ + x₂ + …",
        "The end of a residual block: the branch learns only what to change, and the gradient has a short way back "
        "through the shortcut. Every size must agree, or be 1 and is repeated; a 1×1 convolution with the branch's "
        "stride mends a shortcut that does not fit.",
        "He, Zhang, Ren and Sun 2015, Deep residual learning for image recognition",
    ),
    "Sub": LayerExplanation(
        "y = x₁ − x₂ − …",
        "For networks that predict what to take away, such as the noise in an image, or compare two branches. The "
        "order of the inputs matters, unlike for Add: the first is what the others are taken from.",
        "documentation of torch.sub; residual use: Zhang et al. 2017, Beyond a Gaussian denoiser",
    ),
    "Mul": LayerExplanation(
        "y = x₁ · x₂ · …",
        "Gates: one branch says how much of another may pass, as squeeze-and-excitation does with one factor a "
        "channel, which is repeated over all pixels. Values that are not held to a range can explode or vanish when "
        "many are multiplied; a sigmoid before it keeps factors between 0 and 1.",
        "Hu, Shen and Sun 2017, Squeeze-and-excitation networks",
    ),
    "Concat": LayerExplanation(
        "y = x₁, x₂, … one behind another along dim; channels add up: C₁ + C₂ + …",
        "Joins branches without mixing them, as in Inception and DenseNet; the next layer chooses what to use. All "
        "other sizes must agree. Channels pile up quickly, and so does the cost of what reads them: a 1×1 "
        "convolution brings them down.",
        "Szegedy et al. 2014, Going deeper with convolutions; Huang et al. 2016, DenseNet",
    ),
    "Identity": LayerExplanation(
        "y = x",
        "A place holder: it marks a point in the network, stands in for a layer that was switched off, or keeps "
        "names in the state_dict as they are. It costs no time and no memory.",
        "documentation of torch.nn.Identity",
    ),
    "Opaque": LayerExplanation(
        "y = module(x), whatever torch's class computes",
        "Brings in classes of torch.nn that have no form of their own here. torch measures their shapes, parameters "
        "and memory with the sizes that arrive, so they are known a moment later. Exported source uses the class as "
        "it is.",
        "documentation of torch.nn, the class of that name",
    ),
}
