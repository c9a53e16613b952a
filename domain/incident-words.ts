/** The two lists from which incidents get names that people can say on the phone: short, plain, kind. Order is part of every name. */

const list = (text: string): readonly string[] => text.trim().split(/\s+/);

export const ADJECTIVES = list(`
  able agile airy alert amber ample apt aqua arctic auburn autumn azure balmy basic beige blithe blond blue bold bonny brave breezy
  brief bright brisk bronze brown busy buttery calm candid caring cedar cheery chilly chipper civil classic clean clear clever cloudy
  coastal cobalt cool copper coral cosmic cosy crafty cream crimson crisp curious curly dapper daring dawn deft dewy direct downy
  dreamy dusky eager early earnest easy ebony elder elegant emerald even exact fair famous fancy fearless festive fine firm fleet
  floral fluent flying fond frank free fresh friendly frosty full funny fuzzy gentle giant gifted gilded glad gleaming glossy golden
  good graceful grand granite grassy great green grey handy happy hardy hazel hearty helpful honest humble icy indigo ivory jade jaunty
  jolly jovial joyful keen kind large lasting laurel lavish leafy level light lilac lime linen lively local lofty loyal lucid lucky
  lunar magic maple marble maroon mellow merry mighty mild minty misty modest mossy musical narrow native neat nimble noble
  northern novel oaken ochre olive opal open orange orderly outer pacific pale pastel patient peaceful pearly perky placid plain playful
  pleasant plum plucky polar polite prime proper proud prudent purple quick quiet rapid rare ready regal rosy round royal ruby rugged
  russet rustic saffron sage salty sandy sapphire scarlet scenic serene sharp shiny silent silken silver simple sincere sleek smart
  smooth snowy social solar solid sonic southern spicy spry stable starry steady stellar stout sturdy sunny super sure swift tall tame
  tawny teal tender thrifty tidy timely topaz tranquil trim true trusty tulip umber upbeat upright urban useful valiant velvet verdant
  vernal vital vivid warm wavy western white wide willing windy winged winter wise witty woody woven young zesty
`);

export const ANIMALS = list(`
  addax agouti albatross alpaca anchovy anole ant antelope auk avocet axolotl badger barbet barracuda basilisk bat beagle bear beaver
  bee beetle bison bittern bluebird bobcat bongo bonobo booby bream budgie buffalo bullfinch bumblebee bunting bustard butterfly buzzard
  camel canary capybara caracal cardinal caribou carp cassowary cat catfish chaffinch chameleon cheetah chickadee chinchilla chipmunk
  cicada clam coati cockatoo cod colt condor coot corgi cormorant cougar cowrie coyote crab crane cricket crow cuckoo curlew dace deer
  dingo dipper dodo dolphin donkey dormouse dove dragonfly drake duck dugong dunlin eagle egret eider eland elephant elk emu ermine
  falcon fawn ferret finch firefly flamingo flounder fox francolin frog gannet gazelle gecko gerbil gibbon giraffe gnu goat godwit
  goldfinch goose gopher goshawk grebe greyhound grouper grouse guanaco gull guppy haddock halibut hamster hare harrier hawk hedgehog
  heron herring hoopoe hornbill horse hound husky ibex ibis iguana impala jackal jackdaw jaguar jay jerboa kakapo kangaroo kestrel
  killdeer kingfisher kite kitten kiwi koala koi kookaburra kudu ladybird lamb lapwing lark lemming lemur leopard limpet linnet lion
  lizard llama lobster loon lynx macaque macaw mackerel magpie mallard manatee mantis marlin marmot marten martin meerkat merlin minnow
  mole mongoose moose moth mouse mule narwhal newt nightjar numbat nuthatch ocelot octopus okapi opossum oriole oryx osprey ostrich otter
  owl ox oyster panda pangolin panther parrot partridge peacock pelican penguin perch petrel pheasant pigeon pika pike pintail pipit
  platypus plover pony porcupine porpoise prawn ptarmigan puffin puma python quail quetzal quokka quoll rabbit raccoon raven ray redwing
  reindeer rhea robin rook salmon sandpiper sardine seahorse seal serval sheep shrew shrimp siskin skate skink skua skylark sloth snipe
  sparrow spoonbill springbok squid squirrel stallion starfish starling stoat stork sturgeon swallow swan swift tamarin tanager tapir
  tarpon teal tern terrapin thrush tiger toad tortoise toucan trout tuna turbot turkey turtle urchin vicuna vole wallaby walrus warbler
  warthog weasel whale whippet wigeon wildcat wolf wombat woodcock woodpecker wren yak zebra
`);
