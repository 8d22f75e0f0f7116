-- The data of the demo shop, 2024-01-01 to 2025-12-31, made from nothing but row numbers.
--
--   segql -f generate.sql --var customers=2000
--
-- Every value is a function of its row's number: bucket(number, salt, n) throws a die that
-- always falls the same way, and one throw of fifteen digits is read a few digits at a time.
-- No joins, no sorts, no clock: any size streams through, and the files are the same each time.
-- Per customer there are ten orders, two abandoned carts and twelve events on average.
-- `customers` should be a multiple of 100. Days are counted from 2023-01-01, which is day 0
-- and the day the first customer signed up; 2024-01-01 is day 365, 2025-12-31 is day 1095.

-- One partition keeps the rows in the order of the series.
SET datafusion.execution.target_partitions = 1;

-- Who does something, and when: the first 12 × customers moments are baskets, the rest web events.
CREATE VIEW generated_moments AS
WITH thrown AS (
  SELECT value AS moment, bucket(value, 'who', 1000000000000000) AS dice
  FROM generate_series(1, 24 * $customers)
),
-- Customers stand in blocks of 100 in the order of their sign-up. A block gets moments in
-- proportion to its days within the two years; inside a block few customers get most of them.
placed AS (
  SELECT
    moment,
    dice / 100000000000 AS time_dice,
    least($customers / 100 - 1, CAST(floor($customers / 100 * CASE
      WHEN dice % 10000000 < 5000000 THEN (dice % 10000000) / 15000000.0
      ELSE 1 - sqrt((dice % 10000000 - 5000000) / 5000000.0) * 2 / 3
    END) AS BIGINT)) AS block,
    4.0825 - 3.1112 * ((dice / 10000000 % 10000) / 10000.0) AS steepness
  FROM thrown
),
ranked AS (
  SELECT
    moment, time_dice, block,
    least(99, CAST(floor(100 * (1 / (steepness * steepness) - 0.06)) AS BIGINT)) AS block_rank
  FROM placed
),
assigned AS (
  SELECT
    moment, time_dice, block_rank,
    block * 100 + (block_rank * 37 + block * 11) % 100 + 1 AS customer_id
  FROM ranked
),
profiled AS (
  SELECT
    moment, time_dice, block_rank, customer_id,
    bucket(customer_id, 'profile', 1000000000000000) AS profile,
    bucket(moment, 'clock', 1000000000000) AS clock,
    (customer_id - 1) * 1095 / $customers AS signup_day
  FROM assigned
),
-- Some stay to the end, the others leave after two weeks to a year and a half.
-- Those who signed up in 2023 and leave come back for it some time in 2024.
begun AS (
  SELECT
    moment, time_dice, block_rank, customer_id, profile, clock,
    profile % 1000 < CASE WHEN block_rank < 15 THEN 600 ELSE 450 END AS stays,
    CASE
      WHEN signup_day >= 365 THEN signup_day + 1
      WHEN profile % 1000 < CASE WHEN block_rank < 15 THEN 600 ELSE 450 END THEN 365
      ELSE 365 + customer_id * 61 % 330
    END AS first_day
  FROM profiled
),
lived AS (
  SELECT
    moment, time_dice, customer_id, profile, clock, first_day,
    CASE
      WHEN stays THEN 1095
      ELSE least(1095, first_day + 14
        + (profile / 1000 % 1000) * (profile / 1000 % 1000) / 2000
        + CASE WHEN block_rank < 15 THEN 90 ELSE 0 END)
    END AS last_day
  FROM begun
),
dated AS (
  SELECT
    moment, customer_id, profile, clock, last_day,
    first_day + (last_day - first_day + 1) * (time_dice % 10000) / 10000 AS day_no
  FROM lived
),
-- Of those who stay, some wait for the weeks before Christmas.
seasoned AS (
  SELECT
    moment, customer_id, profile, clock,
    CASE
      WHEN last_day = 1095 AND clock % 100 < 11
        THEN greatest(day_no, CASE WHEN day_no < 731 THEN 688 ELSE 1054 END + clock / 100 % 100 % 33)
      ELSE day_no
    END AS day_no
  FROM dated
)
SELECT
  moment,
  customer_id,
  profile / 1000000 % 100 < 12 AS is_business,
  profile / 100000000 % 100 < 12 AS hunts_discounts,
  CASE
    WHEN profile / 10000000000 % 100 < 20 THEN 1
    ELSE profile / 10000000000 % 10
  END AS favourite,
  CASE
    WHEN profile / 1000000000000 % 10 < 3 THEN 0
    WHEN profile / 1000000000000 % 10 < 7 THEN 600
    ELSE 850
  END AS loyalty,
  profile / 10000000000000 % 10 AS engagement,
  profile / 100000000000000 % 10 < 5 AS newsletter,
  -- from six in the morning to midnight, most around three in the afternoon
  1672531200 + day_no * 86400
    + (6 + clock / 10000 % 10 + clock / 100000 % 10 % 9) * 3600
    + clock / 1000000 % 3600 AS at_second
FROM seasoned;

-- What is in a basket: up to four lines; every sixth basket is left behind. Money is in cents.
CREATE VIEW generated_baskets AS
WITH thrown AS (
  SELECT
    *,
    bucket(moment, 'basket', 1000000000000000) AS dice,
    bucket(moment, 'goods', 1000000000000) AS goods_dice
  FROM generated_moments
  WHERE moment <= 12 * $customers
),
picked AS (
  SELECT
    *,
    CASE WHEN dice % 100 < 45 THEN 1 WHEN dice % 100 < 75 THEN 2 WHEN dice % 100 < 90 THEN 3 ELSE 4 END AS line_count,
    CASE WHEN goods_dice % 1000 < loyalty THEN favourite * 12 + goods_dice % 12
      ELSE goods_dice % 120 END + 1 AS product_1,
    CASE WHEN goods_dice / 1000 % 1000 < loyalty THEN favourite * 12 + goods_dice / 1000 % 12
      ELSE goods_dice / 1000 % 120 END + 1 AS product_2,
    CASE WHEN goods_dice / 1000000 % 1000 < loyalty THEN favourite * 12 + goods_dice / 1000000 % 12
      ELSE goods_dice / 1000000 % 120 END + 1 AS product_3,
    CASE WHEN goods_dice / 1000000000 < loyalty THEN favourite * 12 + goods_dice / 1000000000 % 12
      ELSE goods_dice / 1000000000 % 120 END + 1 AS product_4,
    CASE WHEN is_business THEN 4 ELSE 1 END * (1 + dice / 100 % 10 / 7) AS quantity_1,
    CASE WHEN is_business THEN 4 ELSE 1 END * (1 + dice / 1000 % 10 / 7) AS quantity_2,
    CASE WHEN is_business THEN 4 ELSE 1 END * (1 + dice / 10000 % 10 / 8) AS quantity_3
  FROM thrown
),
priced AS (
  SELECT
    *,
    (7 + product_1 * 37 % 31 + product_1 * product_1 / 80) * 100 - 1 AS price_1,
    (7 + product_2 * 37 % 31 + product_2 * product_2 / 80) * 100 - 1 AS price_2,
    (7 + product_3 * 37 % 31 + product_3 * product_3 / 80) * 100 - 1 AS price_3,
    (7 + product_4 * 37 % 31 + product_4 * product_4 / 80) * 100 - 1 AS price_4
  FROM picked
),
summed AS (
  SELECT
    *,
    quantity_1
      + CASE WHEN line_count > 1 THEN quantity_2 ELSE 0 END
      + CASE WHEN line_count > 2 THEN quantity_3 ELSE 0 END
      + CASE WHEN line_count > 3 THEN 1 ELSE 0 END AS items,
    price_1 * quantity_1
      + CASE WHEN line_count > 1 THEN price_2 * quantity_2 ELSE 0 END
      + CASE WHEN line_count > 2 THEN price_3 * quantity_3 ELSE 0 END
      + CASE WHEN line_count > 3 THEN price_4 ELSE 0 END AS goods,
    CASE
      WHEN hunts_discounts AND dice / 100000 % 100 < 80 THEN 15 + 5 * (dice / 10000000 % 4)
      WHEN dice / 100000 % 100 < 12 THEN 5 + 5 * (dice / 10000000 % 2)
      ELSE 0
    END AS percent_off,
    CASE
      WHEN moment * 61 % 100 < 50 THEN 'web'
      WHEN moment * 61 % 100 < 80 OR moment % 6 = 0 THEN 'app'
      WHEN moment * 61 % 100 < 92 THEN 'store'
      ELSE 'phone'
    END AS channel
  FROM priced
)
SELECT
  moment,
  moment - moment / 6 AS order_id,
  moment % 6 = 0 AS abandoned,
  customer_id,
  at_second,
  channel,
  CASE
    WHEN dice / 10000000000 % 100 < 90 THEN 'completed'
    WHEN dice / 10000000000 % 100 < 95 THEN 'cancelled'
    ELSE 'returned'
  END AS status,
  dice / 1000000000000 AS delay,
  line_count, items, goods,
  goods * percent_off / 100 AS discount,
  CASE WHEN channel = 'store' OR goods >= 19900 THEN 0 ELSE 1499 END AS shipping,
  product_1, product_2, product_3, product_4,
  quantity_1, quantity_2, quantity_3,
  price_1, price_2, price_3, price_4
FROM summed;

-- amount = goods - discount + shipping, where goods is the sum of the lines.
COPY (
  SELECT
    order_id,
    customer_id,
    arrow_cast(at_second * 1000000, 'Timestamp(Microsecond, None)') AS ordered_at,
    status,
    channel,
    CAST(CAST(shipping AS DECIMAL(14, 2)) / 100 AS DECIMAL(12, 2)) AS shipping,
    CAST(CAST(discount AS DECIMAL(14, 2)) / 100 AS DECIMAL(12, 2)) AS discount,
    CAST(CAST(goods - discount + shipping AS DECIMAL(14, 2)) / 100 AS DECIMAL(12, 2)) AS amount
  FROM generated_baskets
  WHERE NOT abandoned
) TO 'data/orders.parquet' STORED AS PARQUET;

COPY (
  WITH numbered AS (
    SELECT *, unnest(generate_series(1, line_count)) AS line_no
    FROM generated_baskets
    WHERE NOT abandoned
  ),
  lines AS (
    SELECT
      order_id,
      line_no,
      CASE line_no WHEN 1 THEN product_1 WHEN 2 THEN product_2 WHEN 3 THEN product_3 ELSE product_4 END AS product_id,
      CASE line_no WHEN 1 THEN quantity_1 WHEN 2 THEN quantity_2 WHEN 3 THEN quantity_3 ELSE 1 END AS quantity,
      CASE line_no WHEN 1 THEN price_1 WHEN 2 THEN price_2 WHEN 3 THEN price_3 ELSE price_4 END AS price
    FROM numbered
  )
  SELECT
    order_id,
    line_no,
    product_id,
    CASE (product_id - 1) / 12
      WHEN 0 THEN 'books' WHEN 1 THEN 'pets' WHEN 2 THEN 'beauty' WHEN 3 THEN 'toys' WHEN 4 THEN 'garden'
      WHEN 5 THEN 'kitchen' WHEN 6 THEN 'sports' WHEN 7 THEN 'fashion' WHEN 8 THEN 'home' ELSE 'electronics'
    END AS category,
    quantity,
    CAST(CAST(price AS DECIMAL(14, 2)) / 100 AS DECIMAL(12, 2)) AS price,
    CAST(CAST(price * (50 + product_id % 25) / 100 AS DECIMAL(14, 2)) / 100 AS DECIMAL(12, 2)) AS cost
  FROM lines
) TO 'data/order_lines.parquet' STORED AS PARQUET;

-- The carts of web and app: those left behind, and those that became orders within the hour.
COPY (
  SELECT
    moment AS cart_id,
    customer_id,
    arrow_cast((at_second - 60 * (3 + delay % 50)) * 1000000, 'Timestamp(Microsecond, None)') AS created_at,
    items,
    CAST(CAST(goods AS DECIMAL(14, 2)) / 100 AS DECIMAL(12, 2)) AS value,
    CASE WHEN NOT abandoned THEN arrow_cast(at_second * 1000000, 'Timestamp(Microsecond, None)') END AS checked_out_at,
    channel
  FROM generated_baskets
  WHERE channel IN ('web', 'app')
) TO 'data/carts.parquet' STORED AS PARQUET;

COPY (
  WITH thrown AS (
    SELECT *, bucket(moment, 'event', 1000000000) AS dice
    FROM generated_moments
    WHERE moment > 12 * $customers
  ),
  kinds AS (
    SELECT
      *,
      CASE
        WHEN dice % 100 < 2 + engagement / 4 AND (is_business OR engagement > 5) THEN 'webinar'
        WHEN dice % 100 < 6 + 2 * engagement AND newsletter THEN 'newsletter'
        WHEN dice % 100 < 60 THEN 'page_view'
        WHEN dice % 100 < 92 THEN 'product_view'
        ELSE 'add_to_cart'
      END AS kind,
      CASE WHEN dice / 100 % 1000 < loyalty THEN favourite ELSE dice / 100 % 10 END AS category_no
    FROM thrown
  )
  SELECT
    moment - 12 * $customers AS event_id,
    customer_id,
    arrow_cast(at_second * 1000000, 'Timestamp(Microsecond, None)') AS occurred_at,
    kind,
    CASE WHEN kind IN ('product_view', 'add_to_cart') THEN CASE category_no
      WHEN 0 THEN 'books' WHEN 1 THEN 'pets' WHEN 2 THEN 'beauty' WHEN 3 THEN 'toys' WHEN 4 THEN 'garden'
      WHEN 5 THEN 'kitchen' WHEN 6 THEN 'sports' WHEN 7 THEN 'fashion' WHEN 8 THEN 'home' ELSE 'electronics'
    END END AS category
  FROM kinds
) TO 'data/web_events.parquet' STORED AS PARQUET;

COPY (
  WITH thrown AS (
    SELECT
      value AS customer_id,
      bucket(value, 'profile', 1000000000000000) AS profile,
      bucket(value, 'name', 1000000000000000) AS dice,
      bucket(value, 'contact', 1000000000000000) AS contact,
      bucket(value, 'household', 1000000) AS household
    FROM generate_series(1, $customers)
  ),
  settled AS (
    SELECT
      *,
      CASE WHEN dice % 100 < 60 THEN 'PL' WHEN dice % 100 < 80 THEN 'BG' WHEN dice % 100 < 95 THEN 'GB' ELSE 'DE' END AS country,
      dice / 100 % 100 < 52 AS is_woman,
      1 + dice / 10000 % 12 AS first_no,
      1 + dice / 1000000 % 100 % 16 AS last_no,
      dice / 100000000 % 10 < 8 AS in_cyrillic,
      1 + dice / 1000000000 % 100 * (dice / 1000000000 % 100) / 1667 AS city_no
    FROM thrown
  ),
  -- the names as written in Latin letters; Bulgarian ones are in Cyrillic below
  named AS (
    SELECT
      *,
      CASE country
        WHEN 'PL' THEN CASE WHEN is_woman
          THEN ['Anna', 'Małgorzata', 'Zofia', 'Agnieszka', 'Bożena', 'Żaneta', 'Joanna', 'Łucja', 'Elżbieta', 'Róża', 'Katarzyna', 'Święcisława'][first_no]
          ELSE ['Łukasz', 'Paweł', 'Michał', 'Józef', 'Krzysztof', 'Stanisław', 'Wojciech', 'Grzegorz', 'Rafał', 'Błażej', 'Jan', 'Sławomir'][first_no] END
        WHEN 'BG' THEN CASE WHEN is_woman
          THEN ['Maria', 'Elena', 'Ivanka', 'Desislava', 'Tsvetelina', 'Yoana', 'Radka', 'Gergana', 'Snezhana', 'Nadezhda', 'Zhivka', 'Viktoria'][first_no]
          ELSE ['Georgi', 'Ivan', 'Dimitar', 'Nikolay', 'Petar', 'Hristo', 'Stoyan', 'Yordan', 'Asen', 'Boyan', 'Zhivko', 'Kaloyan'][first_no] END
        WHEN 'GB' THEN CASE WHEN is_woman
          THEN ['Olivia', 'Emily', 'Charlotte', 'Grace', 'Zoë', 'Chloe', 'Sophie', 'Lucy', 'Siân', 'Harriet', 'Alice', 'Ruby'][first_no]
          ELSE ['Oliver', 'George', 'Harry', 'Jack', 'William', 'Thomas', 'Edward', 'Alfie', 'Rhys', 'Callum', 'Henry', 'James'][first_no] END
        ELSE CASE WHEN is_woman
          THEN ['Käthe', 'Ursula', 'Jutta', 'Heike', 'Sabine', 'Bärbel', 'Greta', 'Lena', 'Mia', 'Petra', 'Renate', 'Ilse'][first_no]
          ELSE ['Jürgen', 'Günter', 'Björn', 'Klaus', 'Hans', 'Lukas', 'Jörg', 'Felix', 'Uwe', 'Stefan', 'Max', 'Paul'][first_no] END
      END AS first_latin,
      CASE country
        WHEN 'PL' THEN ['Żółć', 'Nowak', 'Kowalski', 'Wiśniewski', 'Wójcik', 'Kamiński', 'Zieliński', 'Gęś', 'Dąbrowski', 'Kozłowski', 'Źrebiec', 'Wróbel', 'Jasiński', 'Zając-Górecki', 'Kaczmarek', 'Ćwik'][last_no]
        WHEN 'BG' THEN ['Ivanov', 'Georgiev', 'Dimitrov', 'Petrov', 'Nikolov', 'Hristov', 'Stoyanov', 'Todorov', 'Angelov', 'Zhelev', 'Kolev', 'Yordanov', 'Tsvetkov', 'Marinov', 'Shishkov', 'Vasilev'][last_no]
        WHEN 'GB' THEN ['Smith', 'Jones', 'Taylor', 'Brown', 'O''Brien', 'Davies', 'Evans', 'Hughes', 'Wright', 'Walker', 'Thompson', 'Smythe-Jones', 'Green', 'Clarke', 'MacLeod', 'Hall'][last_no]
        ELSE ['Müller', 'Schmidt', 'Weiß', 'Groß', 'Schäfer', 'Köhler', 'Becker', 'Wagner', 'Vogel', 'Krüger', 'Braun', 'Koch', 'Böhm', 'Lange', 'Keller', 'Jäger'][last_no]
      END AS family_latin
    FROM settled
  ),
  gendered AS (
    SELECT
      *,
      CASE
        WHEN is_woman AND country = 'PL' THEN regexp_replace(family_latin, '([sc])ki$', '\1ka')
        WHEN is_woman AND country = 'BG' THEN concat(family_latin, 'a')
        ELSE family_latin
      END AS last_latin
    FROM named
  ),
  addressed AS (
    SELECT
      *,
      concat(
        translate(replace(replace(lower(concat(first_latin, '.', last_latin)), 'ß', 'ss'), '''', ''),
          'ąćęłńóśźżäöüëâ', 'acelnoszzaouea'),
        customer_id, '@',
        CASE WHEN is_business THEN 'firma.example' ELSE ['example.com', 'example.org', 'example.net'][1 + contact % 3] END
      ) AS address
    FROM (SELECT *, profile / 1000000 % 100 < 12 AS is_business FROM gendered) AS typed
  )
  SELECT
    customer_id,
    CASE WHEN country = 'BG' AND in_cyrillic THEN CASE WHEN is_woman
      THEN ['Мария', 'Елена', 'Иванка', 'Десислава', 'Цветелина', 'Йоана', 'Радка', 'Гергана', 'Снежана', 'Надежда', 'Живка', 'Виктория'][first_no]
      ELSE ['Георги', 'Иван', 'Димитър', 'Николай', 'Петър', 'Христо', 'Стоян', 'Йордан', 'Асен', 'Боян', 'Живко', 'Калоян'][first_no] END
      ELSE first_latin
    END AS first_name,
    CASE WHEN country = 'BG' AND in_cyrillic THEN concat(
        ['Иванов', 'Георгиев', 'Димитров', 'Петров', 'Николов', 'Христов', 'Стоянов', 'Тодоров', 'Ангелов', 'Желев', 'Колев', 'Йорданов', 'Цветков', 'Маринов', 'Шишков', 'Василев'][last_no],
        CASE WHEN is_woman THEN 'а' ELSE '' END)
      ELSE last_latin
    END AS last_name,
    -- six in a hundred gave no address; some are shouted, some cannot be right
    CASE
      WHEN contact / 10 % 100 < 6 THEN NULL
      WHEN contact / 1000 % 1000 < 6 THEN replace(address, '@', ' at ')
      WHEN contact / 1000 % 1000 < 12 THEN concat(split_part(address, '@', 1), '@')
      WHEN contact / 1000 % 1000 < 40 THEN upper(address)
      ELSE address
    END AS email,
    CASE
      WHEN contact / 1000000 % 100 < 20 THEN NULL
      WHEN country = 'PL' THEN concat('+48 5', lpad(CAST(contact / 100000000 % 100 AS VARCHAR), 2, '0'), ' ', 100 + contact / 10000000000 % 900, ' ', 100 + contact / 1000000000000 % 900)
      WHEN country = 'BG' THEN concat('+359 88 ', 100 + contact / 100000000 % 900, ' ', 1000 + contact / 100000000000 % 9000)
      WHEN country = 'GB' THEN concat('07700 900', lpad(CAST(contact / 100000000 % 1000 AS VARCHAR), 3, '0'))
      ELSE concat('+49 151 ', 10000000 + contact / 100000000 % 9000000)
    END AS phone,
    CASE country
      WHEN 'PL' THEN ['Warszawa', 'Kraków', 'Łódź', 'Wrocław', 'Poznań', 'Gdańsk'][city_no]
      WHEN 'BG' THEN ['София', 'Пловдив', 'Варна', 'Бургас', 'Русе', 'Стара Загора'][city_no]
      WHEN 'GB' THEN ['London', 'Manchester', 'Leeds', 'Glasgow', 'Cardiff', 'Belfast'][city_no]
      ELSE ['Berlin', 'München', 'Köln', 'Hamburg', 'Görlitz', 'Leipzig'][city_no]
    END AS city,
    country,
    CASE WHEN is_business THEN 'b2b' ELSE 'b2c' END AS customer_type,
    CASE WHEN dice / 100000000000 % 100 < 30 THEN 'organic' WHEN dice / 100000000000 % 100 < 60 THEN 'ads'
      WHEN dice / 100000000000 % 100 < 85 THEN 'social' ELSE 'referral' END AS lead_source,
    CASE WHEN dice / 10000000000000 % 100 < 92 THEN 2007 - dice / 1000000000 % 1000 % 68 END AS birth_year,
    arrow_cast((1672531200 + (customer_id - 1) * 1095 / $customers * 86400 + 21600 + contact % 57600) * 1000000, 'Timestamp(Microsecond, None)') AS signed_up_at,
    profile / 100000000000000 % 10 < 5 AS newsletter,
    CASE country
      WHEN 'PL' THEN ['Mazowieckie', 'Małopolskie', 'Łódzkie', 'Dolnośląskie', 'Wielkopolskie', 'Pomorskie'][city_no]
      WHEN 'BG' THEN ['София', 'Пловдив', 'Варна', 'Бургас', 'Русе', 'Стара Загора'][city_no]
      WHEN 'GB' THEN ['England', 'England', 'England', 'Scotland', 'Wales', 'Northern Ireland'][city_no]
      ELSE ['Berlin', 'Bayern', 'Nordrhein-Westfalen', 'Hamburg', 'Sachsen', 'Sachsen'][city_no]
    END AS region,
    -- not everybody says; of households one in three says how many, one in two whether with children
    CASE WHEN household % 100 < 85 THEN CASE WHEN household % 100 < 2 THEN 'other' WHEN is_woman THEN 'woman' ELSE 'man' END END AS gender,
    CASE WHEN household / 100 % 3 = 0 THEN [1, 1, 2, 2, 2, 3, 3, 4, 4, 5][1 + household / 1000 % 10] END AS household_size,
    CASE WHEN household / 10000 % 2 = 0 THEN household / 1000 % 10 > 6 END AS has_children,
    -- of ten business customers one did not say for which company
    CASE WHEN is_business AND household / 10000 % 10 > 0 THEN 100000000 + customer_id END AS company_id
  FROM addressed
) TO 'data/customers.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

COPY (
  WITH numbered AS (
    SELECT value AS product_id, (value - 1) / 12 AS category_no, 1 + (value - 1) % 12 AS kind_no
    FROM generate_series(1, 120)
  ),
  priced AS (
    SELECT *, (7 + product_id * 37 % 31 + product_id * product_id / 80) * 100 - 1 AS price FROM numbered
  )
  SELECT
    product_id,
    concat(
      ['Plain', 'Little', 'Classic', 'Green', 'Travel', 'Family', 'Sturdy', 'Soft', 'Bright', 'Smart', 'Grand', 'Gold'][kind_no], ' ',
      ['book', 'pet treat', 'cream', 'toy', 'plant pot', 'pan', 'ball', 'jacket', 'lamp', 'speaker'][category_no + 1]
    ) AS name,
    ['books', 'pets', 'beauty', 'toys', 'garden', 'kitchen', 'sports', 'fashion', 'home', 'electronics'][category_no + 1] AS category,
    CAST(CAST(price AS DECIMAL(14, 2)) / 100 AS DECIMAL(12, 2)) AS price,
    CAST(CAST(price * (50 + product_id % 25) / 100 AS DECIMAL(14, 2)) / 100 AS DECIMAL(12, 2)) AS cost
  FROM priced
) TO 'data/products.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

-- A campaign every thirty days from 2024-01-11, every fourth by SMS.
COPY (
  SELECT
    value AS campaign_id,
    concat(['New arrivals', 'Pet weeks', 'Free delivery', 'Season sale', 'Gift ideas', 'Garden days'][1 + value % 6], ' ', value) AS name,
    CASE WHEN value % 4 = 0 THEN 'sms' ELSE 'email' END AS channel,
    CAST(arrow_cast((1672531200 + (345 + value * 30) * 86400) * 1000000, 'Timestamp(Microsecond, None)') AS DATE) AS starts_on
  FROM generate_series(1, 24)
) TO 'data/campaigns.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

-- Each campaign goes to every second customer who has signed up and takes the newsletter.
COPY (
  WITH addressed AS (
    SELECT 1 + value % 24 AS campaign_id, value / 24 * 2 + 1 + value % 2 AS customer_id
    FROM generate_series(0, 12 * $customers - 1)
  ),
  thrown AS (
    SELECT
      campaign_id,
      customer_id,
      bucket(customer_id, 'profile', 1000000000000000) AS profile,
      bucket(customer_id, 'contact', 1000000000000000) AS contact,
      bucket(customer_id * 24 + campaign_id, 'send', 1000000000000) AS dice,
      1672531200 + (345 + campaign_id * 30) * 86400 + 36000 AS starts
    FROM addressed
    WHERE customer_id <= $customers
      AND (customer_id - 1) * 1095 / $customers < 345 + campaign_id * 30
  ),
  answered AS (
    SELECT
      *,
      starts + dice % 3600 AS sent,
      starts + 3600 + dice % 1000 * 173 AS opened,
      dice / 1000 % 100 < 8 + 6 * (profile / 10000000000000 % 10) AS was_opened,
      dice / 100000 % 100 < 10 + 4 * (profile / 10000000000000 % 10) AS was_clicked
    FROM thrown
    WHERE profile / 100000000000000 % 10 < 5
  )
  SELECT
    campaign_id,
    customer_id,
    arrow_cast(sent * 1000000, 'Timestamp(Microsecond, None)') AS sent_at,
    CASE WHEN campaign_id % 4 = 0 THEN 'sms' ELSE 'email' END AS channel,
    CASE WHEN was_opened THEN arrow_cast(opened * 1000000, 'Timestamp(Microsecond, None)') END AS opened_at,
    CASE WHEN was_opened AND was_clicked
      THEN arrow_cast((opened + 5 + dice / 10000000 % 600) * 1000000, 'Timestamp(Microsecond, None)') END AS clicked_at,
    CAST(CASE WHEN campaign_id % 4 = 0 THEN '0.0900' ELSE '0.0040' END AS DECIMAL(8, 4)) AS cost,
    -- what goes to an address that cannot be right comes back, and one of fifty others
    CASE WHEN campaign_id % 4 > 0 AND NOT was_opened AND (contact / 1000 % 1000 < 12 OR dice / 10000000000 % 50 = 0)
      THEN arrow_cast((sent + 2 + dice % 60) * 1000000, 'Timestamp(Microsecond, None)') END AS bounced_at
  FROM answered
) TO 'data/sends.parquet' STORED AS PARQUET;

-- One row each time a lead changes its status, so that its past can be read too.
COPY (
  WITH thrown AS (
    SELECT value AS lead_id, bucket(value, 'lead', 1000000000000000) AS dice
    FROM generate_series(1, $customers / 5)
  ),
  -- of a hundred, 55 are lost at some stage, 11 stop on the way, 34 are won
  ended AS (
    SELECT
      lead_id, dice,
      CASE
        WHEN dice % 100 < 15 THEN 2 WHEN dice % 100 < 45 THEN 3 WHEN dice % 100 < 55 THEN 4
        WHEN dice % 100 < 62 THEN 2 WHEN dice % 100 < 66 THEN 3 ELSE 4
      END AS last_stage,
      1672531200 + (365 + (lead_id - 1) * 3650 / $customers) * 86400 + 28800 + dice / 100 % 28800 AS created_second
    FROM thrown
  ),
  staged AS (
    SELECT lead_id, dice, last_stage, created_second, unnest(generate_series(1, last_stage)) AS stage
    FROM ended
  ),
  changed AS (
    SELECT
      *,
      created_second + CASE WHEN stage > 1 THEN 86400 * (2 + dice / 10000000 % 12) ELSE 0 END
        + CASE WHEN stage > 2 THEN 86400 * (4 + dice / 1000000000 % 25) + 5400 ELSE 0 END
        + CASE WHEN stage > 3 THEN 86400 * (3 + dice / 100000000000 % 20) - 2700 ELSE 0 END AS changed_second
    FROM staged
  )
  SELECT
    lead_id,
    concat('lead', lead_id, '@', CASE WHEN dice / 10000000000000 % 2 = 0 THEN 'firma.example' ELSE 'example.com' END) AS email,
    CASE WHEN dice / 100000000000000 < 3 THEN 'referral' WHEN dice / 100000000000000 < 6 THEN 'ads'
      WHEN dice / 100000000000000 < 9 THEN 'organic' ELSE 'social' END AS source,
    CASE
      WHEN stage = last_stage AND dice % 100 < 55 THEN 'lost'
      WHEN stage = 1 THEN 'new'
      WHEN stage = 2 THEN 'in_talks'
      WHEN stage = 3 THEN 'draft_contract'
      ELSE 'won'
    END AS status,
    arrow_cast(created_second * 1000000, 'Timestamp(Microsecond, None)') AS created_at,
    arrow_cast(changed_second * 1000000, 'Timestamp(Microsecond, None)') AS status_changed_at
  FROM changed
  WHERE changed_second < 1672531200 + 1096 * 86400
) TO 'data/lead_changes.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

-- What every fifth customer who had signed up by autumn answered in the survey of 2025.
COPY (
  WITH asked AS (
    SELECT value AS customer_id, bucket(value, 'survey', 1000000000) AS dice
    FROM generate_series(1, $customers)
    WHERE bucket(value, 'asked', 5) = 0 AND (value - 1) * 1095 / $customers < 1000
  ),
  questions AS (SELECT *, unnest(generate_series(1, 3)) AS question_no FROM asked)
  SELECT
    customer_id,
    ['lifestyle', 'motive', 'recommend'][question_no] AS question,
    CASE question_no
      WHEN 1 THEN ['home', 'outdoor', 'city', 'family'][1 + dice % 4]
      WHEN 2 THEN ['price', 'quality', 'service', 'habit', 'price'][1 + dice / 10 % 5]
    END AS answer,
    CASE question_no WHEN 2 THEN 1 + dice / 100 % 5 WHEN 3 THEN least(10, dice / 1000 % 14) END AS score,
    CAST(arrow_cast((1672531200 + (1000 + dice / 100000 % 90) * 86400) * 1000000, 'Timestamp(Microsecond, None)') AS DATE) AS answered_at
  FROM questions
) TO 'data/survey.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

-- What is known of customers beside their orders hangs on these throws.
CREATE VIEW generated_people AS
WITH thrown AS (
  SELECT
    value AS customer_id,
    (value - 1) * 1095 / $customers AS signup_day,
    ((value - 1) % 100 + 1100 - (value - 1) / 100 * 11 % 100) * 73 % 100 AS block_rank,
    bucket(value, 'profile', 1000000000000000) / 1000000 % 100 < 12 AS is_business,
    bucket(value, 'household', 1000000) / 10000 % 10 > 0 AS names_company,
    bucket(value, 'more', 1000000000000000) AS dice
  FROM generate_series(1, $customers)
)
SELECT
  customer_id, signup_day, block_rank, dice,
  CASE WHEN is_business AND names_company THEN 100000000 + customer_id END AS company_id,
  arrow_cast((1672531200 + signup_day * 86400) * 1000000, 'Timestamp(Microsecond, None)') AS signup_date
FROM thrown;

-- A company for every business customer who named one.
COPY (
  SELECT
    company_id,
    concat(['Zielony', 'Baltic', 'Rila', 'Albion', 'Elbe', 'Orzeł', 'Vitosha', 'Thames'][1 + dice % 8], ' ',
      ['Studio', 'Trade', 'Clinic', 'School', 'Works', 'Café'][1 + dice / 10 % 6], ' ', customer_id) AS name,
    ['retail', 'hospitality', 'health', 'education', 'manufacturing', 'offices'][1 + dice / 100 % 6] AS industry,
    CASE WHEN dice / 1000 % 20 > 0 THEN
      [2, 4, 7, 9, 12, 18, 30, 45, 60, 120, 240, 600][1 + dice / 1000 % 12] END AS employees,
    CASE WHEN bucket(customer_id, 'name', 1000000000000000) % 100 < 60 THEN 'PL'
      WHEN bucket(customer_id, 'name', 1000000000000000) % 100 < 80 THEN 'BG'
      WHEN bucket(customer_id, 'name', 1000000000000000) % 100 < 95 THEN 'GB' ELSE 'DE' END AS country,
    CASE WHEN dice / 100000 % 4 = 0 THEN NULL ELSE dice / 100000 % 4 < 3 END AS net_prices,
    CAST(signup_date AS DATE) AS known_since
  FROM generated_people
  WHERE company_id IS NOT NULL
) TO 'data/companies.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

-- One to three people at each company.
COPY (
  WITH numbered AS (
    SELECT *, unnest(generate_series(1, 1 + dice / 1000000 % 3)) AS contact_no
    FROM generated_people
    WHERE company_id IS NOT NULL
  )
  SELECT
    customer_id * 10 + contact_no AS contact_id,
    company_id,
    CASE contact_no
      WHEN 1 THEN ['Buyer', 'Office manager', 'Specjalista ds. zakupów', 'Снабдител', 'Head of purchasing', 'Kierownik biura'][1 + dice / 10000000 % 6]
      WHEN 2 THEN ['Owner', 'Prezes zarządu', 'Управител', 'Managing Director', 'Accountant', 'Headhunter'][1 + dice / 100000000 % 6]
      ELSE ['Assistant', 'CFO', 'Księgowa', 'Счетоводител', 'Team lead'][1 + dice / 1000000000 % 5]
    END AS job_title,
    concat('contact', contact_no, '@firma', customer_id, '.example') AS email,
    CASE WHEN dice / 10000000000 % 3 > 0 THEN concat('+48 22 ', 100 + dice / 1000000 % 900, ' ', 10 + contact_no, ' ', 10 + dice / 1000 % 90) END AS phone,
    CAST(signup_date AS DATE) AS known_since
  FROM numbered
) TO 'data/contacts.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

-- Who in sales was given a lead, the day after it came; every sixth lead waits for somebody.
COPY (
  WITH thrown AS (
    SELECT value AS lead_id, bucket(value, 'lead', 1000000000000000) AS dice
    FROM generate_series(1, $customers / 5)
  )
  SELECT
    lead_id,
    ['Ola', 'Marek', 'Desi', 'Tom'][1 + dice / 100 % 4] AS owner,
    CAST(arrow_cast((1672531200 + (366 + (lead_id - 1) * 3650 / $customers) * 86400) * 1000000, 'Timestamp(Microsecond, None)') AS DATE) AS assigned_on
  FROM thrown
  WHERE dice / 1000 % 6 > 0
    AND 366 + (lead_id - 1) * 3650 / $customers <= 1095
) TO 'data/lead_owners.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

-- What customers cost beside goods and messages: calls to the help desk, parcels that came
-- back, advertisements shown to them again. Most cost nothing, a few a lot.
COPY (
  WITH thrown AS (
    SELECT value AS cost_id, bucket(value, 'cost', 1000000000000) AS dice
    FROM generate_series(1, $customers * 3 / 2)
  ),
  placed AS (
    SELECT
      cost_id, dice,
      -- the square puts most of them on few customers
      1 + (dice % 100000) * (dice % 100000) / 100000 * $customers / 100000 AS place
    FROM thrown
  ),
  dated AS (
    SELECT
      cost_id, dice,
      1 + place * 61 % $customers AS customer_id,
      (place * 61 % $customers) * 1095 / $customers AS signup_day
    FROM placed
  )
  SELECT
    customer_id,
    arrow_cast((1672531200 + (signup_day + (1096 - signup_day) * (dice / 100000 % 1000) / 1000) * 86400 + 28800 + dice / 1000 % 28800) * 1000000, 'Timestamp(Microsecond, None)') AS spent_at,
    ['support', 'support', 'shipping', 'ads'][1 + dice / 100000000 % 4] AS kind,
    CAST(CAST((200 + dice / 1000000000 % 100 * (dice / 1000000000 % 100) / 5) AS DECIMAL(14, 2)) / 100 AS DECIMAL(12, 2)) AS amount
  FROM dated
) TO 'data/service_costs.parquet' STORED AS PARQUET;

-- Answers to campaigns, by a share of those they were sent to.
COPY (
  WITH addressed AS (
    SELECT 1 + value % 24 AS campaign_id, value / 24 * 2 + 1 + value % 2 AS customer_id
    FROM generate_series(0, 12 * $customers - 1)
  ),
  thrown AS (
    SELECT
      campaign_id,
      customer_id,
      bucket(customer_id, 'profile', 1000000000000000) AS profile,
      bucket(customer_id * 24 + campaign_id, 'response', 100000000) AS dice
    FROM addressed
    WHERE customer_id <= $customers
      AND (customer_id - 1) * 1095 / $customers < 345 + campaign_id * 30
  )
  SELECT
    customer_id,
    campaign_id,
    arrow_cast((1672531200 + (345 + campaign_id * 30) * 86400 + 43200 + dice % 1000000 * 17 / 100) * 1000000, 'Timestamp(Microsecond, None)') AS responded_at,
    ['coupon', 'coupon', 'reply', 'reply', 'call', 'complaint'][1 + dice / 1000000 % 6] AS kind
  FROM thrown
  WHERE profile / 100000000000000 % 10 < 5
    AND dice / 10000 % 100 < profile / 10000000000000 % 10
) TO 'data/responses.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

-- Cards of the loyalty programme as exported at the end of each half year. Who buys much is
-- more often a member, and of a better tier, but cards are not always right.
COPY (
  WITH exported AS (
    SELECT *, unnest(generate_series(1, 3)) AS export_no
    FROM generated_people
    WHERE dice / 100 % 100 < 60 - block_rank / 2
  )
  SELECT
    customer_id,
    dice / 10000 % 60 * 10 * export_no % 900 AS points,
    CASE
      WHEN block_rank < 3 + dice / 1000000 % 4 THEN 'gold'
      WHEN block_rank < 20 + dice / 1000000 % 10 THEN 'silver'
      ELSE 'bronze'
    END AS tier,
    CASE WHEN dice / 100000000 % 5 > 0 THEN CAST(arrow_cast((1672531200 + (549 + export_no * 182 + dice / 1000000000 % 360) * 86400) * 1000000, 'Timestamp(Microsecond, None)') AS DATE) END AS points_expire_at,
    CAST(arrow_cast((1672531200 + (549 + export_no * 182) * 86400) * 1000000, 'Timestamp(Microsecond, None)') AS DATE) AS exported_on
  FROM exported
  WHERE signup_day <= 549 + export_no * 182
) TO 'data/loyalty_cards.parquet' STORED AS PARQUET;

-- Boxes that come every month; half of them are bought for half a year.
COPY (
  WITH thrown AS (
    SELECT *, greatest(365, signup_day) + dice / 10000000 % 700 AS start_day
    FROM generated_people
    WHERE dice / 100000 % 100 < 12
  )
  SELECT
    customer_id,
    ['pet food', 'books', 'coffee'][1 + dice / 10 % 3] AS plan,
    CAST(arrow_cast((1672531200 + start_day * 86400) * 1000000, 'Timestamp(Microsecond, None)') AS DATE) AS started_at,
    CASE WHEN dice / 1000 % 2 = 0 THEN CAST(arrow_cast((1672531200 + (start_day + 182) * 86400) * 1000000, 'Timestamp(Microsecond, None)') AS DATE) END AS ends_at
  FROM thrown
  WHERE start_day <= 1095
) TO 'data/subscriptions.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

-- Numbers of cards; some households use one card together.
COPY (
  SELECT
    customer_id,
    'card' AS kind,
    CAST(7700000000 + CASE WHEN dice / 1000000 % 10 = 0 THEN customer_id / 2 * 2 ELSE customer_id END AS VARCHAR) AS value,
    CAST(signup_date AS DATE) AS issued_on
  FROM generated_people
  WHERE dice / 100 % 100 < 60 - block_rank / 2
) TO 'data/identities.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

-- What a part of the customers ticked at the sign-up.
COPY (
  WITH numbered AS (
    SELECT *, unnest(generate_series(1, 1 + dice / 100 % 2)) AS preference_no
    FROM generated_people
    WHERE dice / 1000 % 100 < 15
  )
  SELECT
    customer_id,
    CASE WHEN preference_no = 1 THEN 'interest' ELSE 'frequency' END AS topic,
    CASE WHEN preference_no = 1
      THEN ['reading', 'animals', 'cooking', 'garden', 'sport', 'music'][1 + dice / 1000000 % 6]
      ELSE ['weekly', 'monthly'][1 + dice / 100000000 % 2]
    END AS value,
    CAST(signup_date AS DATE) AS told_on
  FROM numbered
) TO 'data/preferences.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

-- Made up too: what shops of this kind are said to reach.
COPY (
  SELECT *
  FROM (VALUES
    ('average_order', 'retail', 210.00, DATE '2025-01-15'),
    ('orders_per_year', 'retail', 5.40, DATE '2025-01-15'),
    ('order_share_returned', 'retail', 0.16, DATE '2025-01-15')
  ) AS figures (metric, industry, value, published_on)
) TO 'data/benchmarks.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');
